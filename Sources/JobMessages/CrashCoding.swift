package import CrashModel

extension Crash: Codable {
    private enum Key: String, CodingKey {
        case kind, architecture, reported, executable, signal, modules, truncation, remarks, kernel
        case commandLine = "command_line"
        case processID = "process_id"
        case threadCount = "thread_count"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            kind: values.decode(DumpKind.self, forKey: .kind),
            architecture: values.decode(Architecture.self, forKey: .architecture),
            reported: values.decode(ReportedCrash.self, forKey: .reported),
            executable: values.decode(String.self, forKey: .executable),
            commandLine: values.decodeIfPresent(String.self, forKey: .commandLine),
            signal: values.decodeIfPresent(Int.self, forKey: .signal).map(CrashSignal.init(number:)),
            processID: values.decodeIfPresent(Int.self, forKey: .processID),
            threadCount: values.decode(Int.self, forKey: .threadCount),
            modules: values.decode([LoadedModule].self, forKey: .modules),
            truncation: values.decodeIfPresent(CoreTruncation.self, forKey: .truncation),
            remarks: values.decode([String].self, forKey: .remarks),
            kernel: values.decodeIfPresent(KernelDump.self, forKey: .kernel))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(kind, forKey: .kind)
        try values.encode(architecture, forKey: .architecture)
        try values.encode(reported, forKey: .reported)
        try values.encode(executable, forKey: .executable)
        try values.encodeIfPresent(commandLine, forKey: .commandLine)
        try values.encodeIfPresent(signal?.number, forKey: .signal)
        try values.encodeIfPresent(processID, forKey: .processID)
        try values.encode(threadCount, forKey: .threadCount)
        try values.encode(modules, forKey: .modules)
        try values.encodeIfPresent(truncation, forKey: .truncation)
        try values.encode(remarks, forKey: .remarks)
        try values.encodeIfPresent(kernel, forKey: .kernel)
    }
}

extension ReportedCrash: Codable {
    private enum Key: String, CodingKey {
        case executable, package, release
        case osRelease = "os_release"
        case rootDirectory = "rootdir"
        case osReleaseInRootDirectory = "os_release_in_rootdir"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            executable: values.decodeIfPresent(String.self, forKey: .executable),
            package: values.decodeIfPresent(String.self, forKey: .package),
            osRelease: values.decodeIfPresent(String.self, forKey: .osRelease),
            release: values.decodeIfPresent(String.self, forKey: .release),
            rootDirectory: values.decodeIfPresent(String.self, forKey: .rootDirectory),
            osReleaseInRootDirectory: values.decodeIfPresent(String.self, forKey: .osReleaseInRootDirectory))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encodeIfPresent(executable, forKey: .executable)
        try values.encodeIfPresent(self.package, forKey: .package)
        try values.encodeIfPresent(osRelease, forKey: .osRelease)
        try values.encodeIfPresent(release, forKey: .release)
        try values.encodeIfPresent(rootDirectory, forKey: .rootDirectory)
        try values.encodeIfPresent(osReleaseInRootDirectory, forKey: .osReleaseInRootDirectory)
    }
}

extension CoreTruncation: Codable {
    private enum Key: String, CodingKey {
        case expectedBytes = "expected_bytes"
        case actualBytes = "actual_bytes"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            expectedBytes: values.decode(UInt64.self, forKey: .expectedBytes),
            actualBytes: values.decode(UInt64.self, forKey: .actualBytes))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(expectedBytes, forKey: .expectedBytes)
        try values.encode(actualBytes, forKey: .actualBytes)
    }
}

extension LoadedModule: Codable {
    private enum Key: String, CodingKey {
        case path, start, end, kind
        case buildID = "build_id"
        case packageNote = "package_note"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            path: values.decode(String.self, forKey: .path),
            buildID: values.decodeIfPresent(BuildID.self, forKey: .buildID),
            start: values.decode(UInt64.self, forKey: .start), end: values.decode(UInt64.self, forKey: .end),
            kind: values.decode(Kind.self, forKey: .kind),
            packageNote: values.decodeIfPresent(PackageNote.self, forKey: .packageNote))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(path, forKey: .path)
        try values.encodeIfPresent(buildID, forKey: .buildID)
        try values.encode(start, forKey: .start)
        try values.encode(end, forKey: .end)
        try values.encode(kind, forKey: .kind)
        try values.encodeIfPresent(packageNote, forKey: .packageNote)
    }
}

extension PackageNote: Codable {
    private enum Key: String, CodingKey {
        case type, name, version, architecture
        case osCPE = "os_cpe"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            type: values.decode(String.self, forKey: .type), name: values.decode(String.self, forKey: .name),
            version: values.decode(String.self, forKey: .version),
            architecture: values.decodeIfPresent(String.self, forKey: .architecture),
            osCPE: values.decodeIfPresent(String.self, forKey: .osCPE))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(type, forKey: .type)
        try values.encode(name, forKey: .name)
        try values.encode(version, forKey: .version)
        try values.encodeIfPresent(architecture, forKey: .architecture)
        try values.encodeIfPresent(osCPE, forKey: .osCPE)
    }
}
