import CrashModel
import Sandbox
import SystemPackage

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

    /// nil where there is no debugger.
    init?(_ chroot: Chroot, _ mounts: DumpMounts, user: SandboxUser) {
        guard let root = chroot.debugger else { return nil }
        crashRoot = FilePath(chroot.crashRoot)
        let libraries = root.libraryPath.map { SandboxPath.debugger + $0 }
        var environment = ["LC_ALL": "C.UTF-8", "HOME": "/tmp", "TERM": "dumb", "PATH": "/usr/bin:/bin"]
        if let first = libraries.first { environment["GCONV_PATH"] = first + "/gconv" }
        self.environment = environment
        debugger = [
            SandboxPath.debugger + root.loader, "--library-path", libraries.joined(separator: ":"),
            SandboxPath.debugger + root.executable,
        ]
        binds = [SandboxBind(FilePath(root.directory), at: SandboxPath.debugger)] + mounts.binds
        dump = mounts.dump
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
