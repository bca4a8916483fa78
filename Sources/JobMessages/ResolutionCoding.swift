package import CrashModel

extension Resolution: Codable {
    private enum Key: String, CodingKey {
        case modules, packages, remarks
        case releaseID = "release_id"
        case releaseEvidence = "release_evidence"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            releaseID: values.decodeIfPresent(ReleaseID.self, forKey: .releaseID),
            releaseEvidence: values.decode(String.self, forKey: .releaseEvidence),
            modules: values.decode([ResolvedModule].self, forKey: .modules),
            packages: values.decode([ResolvedPackage].self, forKey: .packages),
            remarks: values.decode([String].self, forKey: .remarks))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encodeIfPresent(releaseID, forKey: .releaseID)
        try values.encode(releaseEvidence, forKey: .releaseEvidence)
        try values.encode(modules, forKey: .modules)
        try values.encode(packages, forKey: .packages)
        try values.encode(remarks, forKey: .remarks)
    }
}

extension ResolvedModule: Codable {
    private enum Key: String, CodingKey {
        case module, status, binary, debuginfo, reason
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            module: values.decode(LoadedModule.self, forKey: .module),
            status: values.decode(ModuleStatus.self, forKey: .status),
            binary: values.decodeIfPresent(PackagedFile.self, forKey: .binary),
            debuginfo: values.decodeIfPresent(PackagedFile.self, forKey: .debuginfo),
            reason: values.decodeIfPresent(String.self, forKey: .reason))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(module, forKey: .module)
        try values.encode(status, forKey: .status)
        try values.encodeIfPresent(binary, forKey: .binary)
        try values.encodeIfPresent(debuginfo, forKey: .debuginfo)
        try values.encodeIfPresent(reason, forKey: .reason)
    }
}

extension PackagedFile: Codable {
    private enum Key: String, CodingKey {
        case path
        case nevra = "package"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            nevra: values.decode(NEVRA.self, forKey: .nevra), path: values.decode(String.self, forKey: .path))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(nevra, forKey: .nevra)
        try values.encode(path, forKey: .path)
    }
}

extension ResolvedPackage: Codable {
    private enum Key: String, CodingKey {
        case sha256, location, role, files
        case nevra = "package"
        case releaseID = "release_id"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            nevra: values.decode(NEVRA.self, forKey: .nevra), sha256: values.decode(String.self, forKey: .sha256),
            location: values.decode(String.self, forKey: .location),
            role: values.decode(PackageRole.self, forKey: .role),
            files: values.decodeIfPresent([String].self, forKey: .files),
            releaseID: values.decodeIfPresent(ReleaseID.self, forKey: .releaseID))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(nevra, forKey: .nevra)
        try values.encode(sha256, forKey: .sha256)
        try values.encode(location, forKey: .location)
        try values.encode(role, forKey: .role)
        try values.encodeIfPresent(files, forKey: .files)
        try values.encodeIfPresent(releaseID, forKey: .releaseID)
    }
}
