import CrashModel
import Glibc
import Sandbox
import SystemPackage
import TaskStorage

/// What a kernel's debugger sees: the crash root as `/`, the debugger below `/.retrace`, the dump below `/.dump`.
struct KernelSandbox: Sendable {
    let crashRoot: FilePath
    /// crash, started by its own loader.
    let debugger: [String]
    /// The debugger and the dump.
    var binds: [SandboxBind]
    let environment: [String: String]
    /// The dump inside the sandbox.
    let dump: String
    let user: SandboxUser

    static let dumpFolder = "/.dump"

    /// Blocking: the host's own debugger is looked up through its links.
    ///
    /// - Throws: ``StageError`` when the dump's file has no bare name, or the host's crash is not where it should be.
    init(
        _ chroot: Chroot, kernel: KernelDump, directory: TaskDirectory, user: SandboxUser
    ) throws(StageError) {
        // Where an operator named a dump on the server, ingest has noted its path, and the sandbox sees it under its name.
        let path = directory.vmcore(kernel)
        let isOutside = kernel.file.hasPrefix("/")
        let file = isOutside ? path.lastComponent?.string ?? "" : kernel.file
        let names = [file] + [kernel.memoryFile].compactMap(\.self)
        guard names.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && !$0.utf8.contains(UInt8(ascii: "/")) }) else {
            throw StageError(.retrace, .internalError, "The job names a dump outside the folder of its task.")
        }
        crashRoot = FilePath(chroot.crashRoot)
        let place = try DebuggerPlace(chroot.debugger)
        var environment = ["LC_ALL": "C.UTF-8", "HOME": "/tmp", "TERM": "dumb", "PATH": "/usr/bin:/bin"]
        if let libraries = place.libraryPath.first { environment["GCONV_PATH"] = libraries + "/gconv" }
        self.environment = environment
        debugger = [place.loader, "--library-path", place.libraryPath.joined(separator: ":"), place.executable]
        // crash looks for the memory beside the snapshot, under the same name.
        binds =
            place.binds
            + names.map { name in
                SandboxBind(name == file ? path : directory.crash.appending(name), at: "\(Self.dumpFolder)/\(name)")
            }
        dump = "\(Self.dumpFolder)/\(file)"
        self.user = user
    }

    /// crash with `arguments`.
    ///
    /// - Parameter root: What becomes `/`: the crash root, or an empty folder for what is read from the dump alone.
    func command(_ arguments: [String], root: FilePath? = nil, binds more: [SandboxBind] = []) -> SandboxedCommand {
        SandboxedCommand(
            // No .crashrc can be in the empty /tmp.
            root: root ?? crashRoot, binds: binds + more, environment: environment, arguments: debugger + arguments,
            workingDirectory: "/tmp", user: user)
    }
}

/// Where a debugger lies inside the sandbox, and what of the host must be mounted for it.
private struct DebuggerPlace {
    let loader: String
    let libraryPath: [String]
    let executable: String
    let binds: [SandboxBind]

    init(_ debugger: DebuggerRoot) throws(StageError) {
        guard debugger.directory == "/" else {
            func inside(_ path: String) -> String { SandboxPath.debugger + path }
            loader = inside(debugger.loader)
            libraryPath = debugger.libraryPath.map(inside)
            executable = inside(debugger.executable)
            binds = [SandboxBind(FilePath(debugger.directory), at: SandboxPath.debugger)]
            return
        }
        // Of the host only the folders are mounted in which its debugger lies, and links are followed here: an absolute
        // one would lead into the crash root.
        var folders: Set<String> = []
        func real(_ path: String) throws(StageError) -> String {
            guard let resolved = realpath(path, nil) else {
                throw StageError(
                    .retrace, .debuggerMissing, "The host of the retracer lacks a part of its crash utility.",
                    advice: "Tell the operator of the server: its log has the cause.",
                    toolOutput: "\(path): \(Errno(rawValue: errno))")
            }
            defer { free(resolved) }
            let text = String(cString: resolved)
            if let first = text.split(separator: "/").first { folders.insert("/\(first)") }
            return SandboxPath.debugger + text
        }
        loader = try real(debugger.loader)
        executable = try real(debugger.executable)
        var libraries: [String] = []
        for directory in debugger.libraryPath { libraries.append(try real(directory)) }
        libraryPath = libraries
        binds = folders.sorted().map { SandboxBind(FilePath($0), at: SandboxPath.debugger + $0) }
    }
}
