import CrashModel
import Glibc
import Sandbox
import SystemPackage
import TaskStorage

/// A kept task that is being opened. Everything here blocks.
struct InteractiveTask: Sendable {
    let crash: Crash
    let resolution: Resolution
    let chroot: Chroot
    let directory: TaskDirectory
    let user: SandboxUser
    /// Whether a person sits at a terminal.
    let isAttended: Bool

    /// - Throws: ``InteractiveRefusal`` when the crash root or the debugger's is gone.
    func checkRoots() throws(InteractiveRefusal) {
        try check(chroot.crashRoot, "root")
        if let debugger = chroot.debugger { try check(debugger.directory, "debugger's root") }
    }

    private func check(_ path: String, _ what: String) throws(InteractiveRefusal) {
        if access(path, F_OK) == 0 { return }
        guard errno == ENOENT else { throw InteractiveRefusal.notPermitted }
        throw InteractiveRefusal(
            .gone, "The \(what) of task \(directory.task), \(path), is gone.",
            advice: "Build it again, as the services' user:\n  retrace interact \(directory.task) --print-build-job |"
                + " retrace-chroot-builder --config /etc/retrace/chroot-builder.yaml --job -")
    }

    /// Lets the sandbox's user read the dump.
    ///
    /// - Throws: ``InteractiveRefusal`` when there is none, or `Errno`.
    func shareDump() throws {
        for file in dumps {
            guard access(file.string, F_OK) == 0 else {
                guard errno == ENOENT else { throw InteractiveRefusal.notPermitted }
                throw InteractiveRefusal(
                    .gone, "The dump of task \(directory.task) is gone.",
                    advice: "Send it again with 'retrace submit --keep'.")
            }
            do throws(Errno) {
                try user.share(file, isOurs: file.starts(with: directory.path))
            } catch {
                guard error == .permissionDenied, geteuid() == 0 else { throw error }
                throw InteractiveRefusal(
                    .notPermitted, "The debugger's user may not read the dump, \(file), which was named on the server.",
                    advice: "Make the file readable for everybody.")
            }
        }
    }

    private func debugger() throws(InteractiveRefusal) -> DebuggerRoot {
        guard let debugger = chroot.debugger else { throw noDebugger }
        return debugger
    }

    private var noDebugger: InteractiveRefusal {
        InteractiveRefusal(
            .gone,
            "There is no debugger for the dump of task \(directory.task). "
                + (chroot.remarks.first ?? ""), advice: "Open it with shell.")
    }

    private var dumps: [FilePath] {
        crash.kernel.map { directory.dumps(of: $0) } ?? [directory.coredump]
    }

    func gdb(_ more: [String]) throws(InteractiveRefusal) -> SandboxedCommand {
        guard crash.kind == .coredump else {
            throw InteractiveRefusal(
                .wrongProgram, "The dump of task \(directory.task) is a kernel's, and gdb reads cores of programs.",
                advice: "Open it with crash or with shell.")
        }
        var command = gdbCommand(
            for: crash, resolution, in: chroot, try debugger(), coredump: directory.coredump, options: ["-q"],
            settings: isAttended ? [] : unattendedSettings, user: user)
        command.arguments += more
        return command
    }

    func crash(_ more: [String]) throws -> (SandboxedCommand, [String]) {
        guard crash.kind == .vmcore, let kernel = crash.kernel else {
            throw InteractiveRefusal(
                .wrongProgram, "The dump of task \(directory.task) is a program's, and crash reads those of kernels.",
                advice: "Open it with gdb or with shell.")
        }
        guard let sandbox = KernelSandbox(chroot, try DumpMounts(of: kernel, in: directory), user: user) else {
            throw noDebugger
        }
        guard let files = chroot.kernel else {
            throw InteractiveRefusal(
                .gone, "The debug symbols (vmlinux) of the kernel are not in the root, and crash does nothing without.",
                advice: "Have the kernel's packages mirrored and send the dump again, or open it with shell.")
        }
        let earlier = EarlierAnalysis(of: directory)
        var modules = moduleFiles(in: FilePath(chroot.crashRoot), files, loaded: kernel.modules)
        if kernel.modules == nil, modules.count > mostLoadedModules, let listed = earlier.modules {
            modules.removeAll { !listed.contains($0.name) }
        }
        // Pages of text would go through less(1), which is not in the sandbox.
        let lines = ["set scroll off > /dev/null"] + modules.map { "mod -s \($0.name) \($0.path) > /dev/null" }
        let commands = directory.path.appending("interact.commands")
        try write(Array((lines.joined(separator: "\n") + "\n").utf8), to: commands)
        try user.share(commands)
        var remarks: [String] = []
        switch VmlinuxDoubt.of(files, in: chroot, kernel, log: beginningOfKeptLog(in: directory)) {
        case .verified: break
        case .unverified(let reason): remarks.append(reason)
        case .another(let reason): remarks.append(reason + " What crash says may be wrong.")
        }
        let command = sandbox.command(
            (isAttended ? [] : ["-s"]) + ["-i", "/.commands"] + earlier.crashOptions + more
                + [files.vmlinux, sandbox.dump],
            binds: [SandboxBind(commands, at: "/.commands")])
        return (command, remarks)
    }

    /// The host's programs, because a root that holds the packages of one crash seldom has a shell that runs.
    func shell(_ more: [String]) throws -> (SandboxedCommand, [String]) {
        let root = directory.path.appending("interact.root")
        guard mkdir(root.string, 0o711) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
        // Whoever removes the task empties it.
        if geteuid() == 0 {
            var facts = stat()
            guard stat(directory.path.string, &facts) == 0, lchown(root.string, facts.st_uid, facts.st_gid) == 0,
                chmod(root.string, 0o711) == 0
            else { throw Errno(rawValue: errno) }
        }
        var binds = [SandboxBind(FilePath(chroot.crashRoot), at: "/crash-root")]
        var remarks = ["/crash-root is the root of the crash."]
        if let debugger = chroot.debugger {
            binds.append(SandboxBind(FilePath(debugger.directory), at: "/debugger"))
            remarks.append("/debugger is that of its debugger.")
        }
        for dump in dumps {
            let name = "/dump/" + (dump.lastComponent?.string ?? "dump")
            binds.append(SandboxBind(dump, at: name))
            remarks.append("\(name) is the dump.")
        }
        let shell = access("/bin/bash", X_OK) == 0 ? ["/bin/bash", "--noprofile", "--norc"] : ["/bin/sh"]
        var command = SandboxedCommand.hostProgram(shell + more, root: root, binds: binds, user: user)
        command.environment["HOME"] = "/tmp"
        command.environment["PS1"] = "retrace \(directory.task):\\w$ "
        command.workingDirectory = "/dump"
        return (command, [remarks.joined(separator: " ")])
    }
}
