package import CrashModel

extension KernelDump: Codable {
    private enum Key: String, CodingKey {
        case format, release, file, modules, panic, incompleteness
        case releaseEvidence = "release_evidence"
        case buildID = "build_id"
        case pageBytes = "page_bytes"
        case kaslrOffset = "kaslr_offset"
        case dumpLevel = "dump_level"
        case memoryFile = "memory_file"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            format: values.decode(VmcoreFormat.self, forKey: .format),
            release: values.decodeIfPresent(KernelRelease.self, forKey: .release),
            releaseEvidence: values.decode(String.self, forKey: .releaseEvidence),
            buildID: values.decodeIfPresent(BuildID.self, forKey: .buildID),
            pageBytes: values.decodeIfPresent(Int.self, forKey: .pageBytes),
            kaslrOffset: values.decodeIfPresent(UInt64.self, forKey: .kaslrOffset),
            dumpLevel: values.decodeIfPresent(Int.self, forKey: .dumpLevel),
            incompleteness: values.decodeIfPresent(String.self, forKey: .incompleteness),
            file: values.decode(String.self, forKey: .file),
            memoryFile: values.decodeIfPresent(String.self, forKey: .memoryFile),
            modules: values.decodeIfPresent([String].self, forKey: .modules),
            panic: values.decodeIfPresent(String.self, forKey: .panic))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(format, forKey: .format)
        try values.encodeIfPresent(release, forKey: .release)
        try values.encode(releaseEvidence, forKey: .releaseEvidence)
        try values.encodeIfPresent(buildID, forKey: .buildID)
        try values.encodeIfPresent(pageBytes, forKey: .pageBytes)
        try values.encodeIfPresent(kaslrOffset, forKey: .kaslrOffset)
        try values.encodeIfPresent(dumpLevel, forKey: .dumpLevel)
        try values.encodeIfPresent(incompleteness, forKey: .incompleteness)
        try values.encode(file, forKey: .file)
        try values.encodeIfPresent(memoryFile, forKey: .memoryFile)
        try values.encodeIfPresent(modules, forKey: .modules)
        try values.encodeIfPresent(panic, forKey: .panic)
    }
}

extension KernelFiles: Codable {
    private enum Key: String, CodingKey {
        case vmlinux, modules, doubt
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            vmlinux: values.decode(String.self, forKey: .vmlinux),
            modules: values.decodeIfPresent(String.self, forKey: .modules),
            doubt: values.decodeIfPresent(String.self, forKey: .doubt))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(vmlinux, forKey: .vmlinux)
        try values.encodeIfPresent(modules, forKey: .modules)
        try values.encodeIfPresent(doubt, forKey: .doubt)
    }
}
