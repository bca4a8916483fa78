import CrashModel
import Crypto
import Distributions
import ELF
import Glibc
import Packages
import SystemPackage

/// A debugger that is installed on this host, put into a root of its own. Blocking.
///
/// The host's `/` is never shown to a debugger that reads an upload: the program and the libraries that it is linked with
/// are copied, all libraries beside the loader. Copies, since the host's files are another user's and on any file system.
struct HostDebugger: Sendable {
    let debugger: DebuggerPackage
    /// Of the crashed kernel: a debugger for kernels reads the dumps of its own architecture only.
    let architecture: Architecture
    /// The directory of all debugger roots.
    let debuggers: FilePath
    /// Where this host's files are; another directory in tests.
    var host: FilePath = "/"

    /// What its roots' names begin with.
    static let stem = "host"

    /// The root, made when it is not there or when the host's files have changed.
    ///
    /// - Returns: nil when the host has no such program of that architecture.
    func root() throws(BlockingError) -> DebuggerRoot? {
        guard let parts = try HostProgram(debugger.executable, architecture, in: host) else { return nil }
        let stamps = try system { () throws(Errno) in
            var stamps: [MetadataStamp] = []
            for file in parts.files { stamps.append(try MetadataStamp(of: file.source)) }
            return stamps
        }
        let words = zip(parts.files, stamps).map { file, stamp in
            "\(file.source) \(stamp.inode) \(stamp.bytes) \(stamp.changed)\n"
        }
        let name = Self.stem + "-" + hexadecimal(SHA256.hash(data: Array(words.joined().utf8))).prefix(16)
        try system { () throws(Errno) in try makeDirectory(debuggers) }
        let path = debuggers.appending(name)
        let known = try system { () throws(Errno) in try DebuggerManifest(at: manifest) }
        let isThere = try system { () throws(Errno) in
            try DirectoryHandle(debuggers).kind(of: name.fileName) == .directory
        }
        if isThere, let known, known.directory == name, known.debuggerPackage == debugger.package,
            let root = known.root(in: debuggers)
        {
            return root
        }
        if !isThere { try copy(parts, to: path) }
        return try publish(path, stamps)
    }

    private func copy(_ parts: HostProgram, to path: FilePath) throws(BlockingError) {
        let partial = FilePath(path.string + ".\(UInt32.random(in: 0 ... .max)).partial")
        do throws(BlockingError) {
            try system { () throws(Errno) in
                try makeDirectory(partial)
                _ = try RootAssembly(at: partial, absoluteLinks: .madeRelative)
                for file in parts.files {
                    let target = partial.appending(String(file.target.dropFirst()))
                    try makeDirectory(target.removingLastComponent())
                    try copyFile(file.source, to: target)
                }
            }
            _ = try DebuggerInspection(at: partial, executable: parts.executable)
            guard rename(partial.string, path.string) == 0 else {
                let reason = Errno(rawValue: errno)
                guard reason == .directoryNotEmpty || reason == .fileExists else { throw .system(reason) }
                return try system { () throws(Errno) in try removeTree(partial) }
            }
        } catch {
            // The first failure is what is told; what cannot be removed now is swept later.
            try? removeTree(partial)
            throw error
        }
    }

    private func publish(_ path: FilePath, _ stamps: [MetadataStamp]) throws(BlockingError) -> DebuggerRoot {
        let found = try DebuggerInspection(at: path, executable: usrMerged(debugger.executable))
        let package: NEVRA
        do {
            package =
                try InstalledPackage(debugger, in: host)?.nevra
                ?? NEVRA(
                    name: debugger.package, version: "of-the-host", release: "", architecture: architecture.rawValue)
        } catch {
            throw .stage(.debuggerIsUnusable("'\(debugger.package)' is no name of a package"))
        }
        let root = DebuggerRoot(
            directory: path.string, executable: found.executable, loader: found.loader, libraryPath: found.libraryPath,
            dataDirectory: found.dataDirectory, pythonHome: found.pythonHome, package: package)
        try system { () throws(Errno) in
            try writeJSON(
                DebuggerManifest(metadata: stamps, debuggerPackage: debugger.package, root: root), to: manifest)
        }
        return root
    }

    private var manifest: FilePath { debuggers.appending("\(Self.stem).json") }
}

/// Copies a file, mode 0755, to a name that must not be there yet. Blocking.
private func copyFile(_ source: FilePath, to target: FilePath) throws(Errno) {
    do {
        let from = try FileDescriptor.open(source, .readOnly, options: [.closeOnExec])
        try from.closeAfter {
            let to = try FileDescriptor.open(
                target, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
            try to.closeAfter {
                var chunk = [UInt8](repeating: 0, count: 1 << 18)
                while true {
                    let count = try chunk.withUnsafeMutableBytes { try from.read(into: $0) }
                    if count == 0 { break }
                    _ = try to.writeAll(chunk[..<count])
                }
                guard fchmod(to.rawValue, 0o755) == 0 else { throw Errno(rawValue: errno) }
            }
        }
    } catch let error as Errno {
        throw error
    } catch {
        throw Errno.ioError
    }
}
