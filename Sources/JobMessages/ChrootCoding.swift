package import CrashModel

extension Chroot: Codable {
    private enum Key: String, CodingKey {
        case debugger, remarks, kernel
        case crashRoot = "crash_root"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            crashRoot: values.decode(String.self, forKey: .crashRoot),
            debugger: values.decodeIfPresent(DebuggerRoot.self, forKey: .debugger),
            remarks: values.decode([String].self, forKey: .remarks),
            kernel: values.decodeIfPresent(KernelFiles.self, forKey: .kernel))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(crashRoot, forKey: .crashRoot)
        try values.encodeIfPresent(debugger, forKey: .debugger)
        try values.encode(remarks, forKey: .remarks)
        try values.encodeIfPresent(kernel, forKey: .kernel)
    }
}

extension DebuggerRoot: Codable {
    private enum Key: String, CodingKey {
        case directory, executable, loader, package
        case libraryPath = "library_path"
        case dataDirectory = "data_directory"
        case pythonHome = "python_home"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            directory: values.decode(String.self, forKey: .directory),
            executable: values.decode(String.self, forKey: .executable),
            loader: values.decode(String.self, forKey: .loader),
            libraryPath: values.decode([String].self, forKey: .libraryPath),
            dataDirectory: values.decodeIfPresent(String.self, forKey: .dataDirectory),
            pythonHome: values.decodeIfPresent(String.self, forKey: .pythonHome),
            package: values.decode(NEVRA.self, forKey: .package))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(directory, forKey: .directory)
        try values.encode(executable, forKey: .executable)
        try values.encode(loader, forKey: .loader)
        try values.encode(libraryPath, forKey: .libraryPath)
        try values.encodeIfPresent(dataDirectory, forKey: .dataDirectory)
        try values.encodeIfPresent(pythonHome, forKey: .pythonHome)
        try values.encode(self.package, forKey: .package)
    }
}
