import CrashModel
import FoundationEssentials
import Glibc
import SystemPackage

/// The debugger root that a release has now; `<release-id>.json` beside it.
struct DebuggerManifest: Codable {
    /// What the packages' metadata was when they were solved.
    let metadata: [MetadataStamp]
    /// The name of the debugger's package, as the plugin had it then.
    let debuggerPackage: String
    /// The directory's name, without the path to it.
    let directory: String
    let executable: String
    let loader: String
    let libraryPath: [String]
    let dataDirectory: String?
    let pythonHome: String?
    let package: String
    let version: String
    let architecture: String

    private enum CodingKeys: String, CodingKey {
        case metadata, directory, executable, loader, package, version, architecture
        case debuggerPackage = "debugger_package"
        case libraryPath = "library_path"
        case dataDirectory = "data_directory"
        case pythonHome = "python_home"
    }

    init(metadata: [MetadataStamp], debuggerPackage: String, root: DebuggerRoot) {
        self.metadata = metadata
        self.debuggerPackage = debuggerPackage
        directory = FilePath(root.directory).lastComponent?.string ?? root.directory
        executable = root.executable
        loader = root.loader
        libraryPath = root.libraryPath
        dataDirectory = root.dataDirectory
        pythonHome = root.pythonHome
        package = root.package.name
        version = root.package.versionText
        architecture = root.package.architecture
    }

    /// Reads the manifest; nil when there is none or it is damaged, since then the root is looked at again.
    init?(at path: FilePath) throws(Errno) {
        guard let bytes = try readFile(path), let read = try? JSONDecoder().decode(Self.self, from: Data(bytes))
        else { return nil }
        self = read
    }

    /// The root, in the directory of all debugger roots; nil when the manifest does not make sense.
    func root(in debuggers: FilePath) -> DebuggerRoot? {
        guard let nevra = try? NEVRA(name: package, debianVersion: version, architecture: architecture),
            let name = FilePath.Component(directory), name.kind == .regular
        else { return nil }
        return DebuggerRoot(
            directory: debuggers.appending(name).string, executable: executable, loader: loader,
            libraryPath: libraryPath, dataDirectory: dataDirectory, pythonHome: pythonHome, package: nevra)
    }
}

/// Which version of a metadata file was read: another one has another stamp.
struct MetadataStamp: Codable, Hashable {
    let name: String
    let inode: UInt64
    let bytes: Int64
    /// The time of change, nanoseconds since the epoch of Unix.
    let changed: Int64

    private enum CodingKeys: String, CodingKey {
        case name, inode, bytes, changed
    }

    /// - Throws: `Errno` of stat(2).
    init(of path: FilePath) throws(Errno) {
        var status = Glibc.stat()
        guard stat(path.string, &status) == 0 else { throw Errno(rawValue: errno) }
        name = path.lastComponent?.string ?? ""
        inode = UInt64(status.st_ino)
        bytes = Int64(status.st_size)
        changed = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }
}
