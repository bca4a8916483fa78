import CrashModel
import ELF
import SystemPackage

/// What of a debugger root the retracer must know to start the debugger.
struct DebuggerInspection {
    let executable: String
    let loader: String
    let libraryPath: [String]
    let dataDirectory: String?
    let pythonHome: String?

    /// Reads the program at `executable` and looks around it. Blocking.
    ///
    /// All paths are the ones at the end of the links, since the debugger will not run with this directory as `/`.
    ///
    /// - Parameters:
    ///   - path: The debugger root.
    ///   - executable: The debugger, absolute inside the root.
    /// - Throws: ``BlockingError``: `debuggerUnusable` when the program or its loader is not what it must be.
    init(at path: FilePath, executable: String) throws(BlockingError) {
        let root = try system { () throws(Errno) in try DirectoryHandle(path) }
        let program = try Self.file(executable, in: root)
        let interpreter: String?
        do throws(ELFError) {
            let file = FilePath(path.string + program)
            interpreter = try ELFFile(try FileByteSource(file)).identity().interpreter
        } catch {
            throw .stage(.debuggerIsUnusable("\(executable) is no program: \(error)"))
        }
        guard let interpreter else {
            throw .stage(.debuggerIsUnusable("\(executable) names no dynamic loader"))
        }
        self.executable = program
        loader = try Self.file(interpreter, in: root)
        let own = String(loader[..<(loader.lastIndex(of: "/") ?? loader.startIndex)])
        var directories = [own]
        for directory in ["/usr/lib64", "/usr/lib"] where directory != own {
            if try Self.isDirectory(directory, in: root) { directories.append(directory) }
        }
        libraryPath = directories
        dataDirectory = try Self.isDirectory("/usr/share/gdb", in: root) ? "/usr/share/gdb" : nil
        pythonHome = try Self.hasPython(root) ? "/usr" : nil
    }

    private static func file(_ path: String, in root: DirectoryHandle) throws(BlockingError) -> String {
        guard let found = try system({ () throws(Errno) in try walk(path, in: root) }), found.kind == .file else {
            throw .stage(.debuggerIsUnusable("\(path) is not in its packages"))
        }
        return "/" + found.components.joined(separator: "/")
    }

    private static func isDirectory(_ path: String, in root: DirectoryHandle) throws(BlockingError) -> Bool {
        try system { () throws(Errno) in try walk(path, in: root)?.kind == .directory }
    }

    /// Python's standard library is in `lib/python3.*` or `lib64/python3.*` below its home.
    private static func hasPython(_ root: DirectoryHandle) throws(BlockingError) -> Bool {
        try system { () throws(Errno) in
            let usr = try DirectoryHandle("usr".fileName, in: root)
            for directory in ["lib", "lib64"] where usr.kind(of: directory.fileName) == .directory {
                let names = try DirectoryHandle(directory.fileName, in: usr).entries().map(\.text)
                if names.contains(where: { $0.hasPrefix("python3.") }) { return true }
            }
            return false
        }
    }
}

extension StageError {
    static func debuggerIsUnusable(_ detail: String) -> StageError {
        StageError(
            .build, .debuggerUnusable, "The debugger of the release cannot be started: \(detail).",
            advice: "Check 'debugger' in the plugin of the distribution, then synchronise the release again.")
    }
}
