import CrashModel
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

    /// - Throws: ``StageError`` when the dump's file has no bare name.
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
        let libraries = chroot.debugger.libraryPath.map { SandboxPath.debugger + $0 }
        var environment = ["LC_ALL": "C.UTF-8", "HOME": "/tmp", "TERM": "dumb", "PATH": "/usr/bin:/bin"]
        if let first = libraries.first { environment["GCONV_PATH"] = first + "/gconv" }
        self.environment = environment
        debugger = [
            SandboxPath.debugger + chroot.debugger.loader, "--library-path", libraries.joined(separator: ":"),
            SandboxPath.debugger + chroot.debugger.executable,
        ]
        // crash looks for the memory beside the snapshot, under the same name.
        let dumps = names.map { name in
            SandboxBind(name == file ? path : directory.crash.appending(name), at: "\(Self.dumpFolder)/\(name)")
        }
        binds = [SandboxBind(FilePath(chroot.debugger.directory), at: SandboxPath.debugger)] + dumps
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
