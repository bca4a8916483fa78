package import CrashModel
import Glibc
import NIOPosix
package import Sandbox
import SystemPackage
package import TaskStorage

/// With what a kept task is opened again.
package enum InteractiveProgram: String, Hashable, Sendable, CaseIterable {
    case gdb
    case crash
    /// A shell with the host's programs.
    case shell

    /// What a dump of that kind is usually looked at with.
    package static func usual(for kind: DumpKind) -> InteractiveProgram { kind == .vmcore ? .crash : .gdb }
}

/// Why a task cannot be opened, in words for the operator.
package struct InteractiveRefusal: Error, Hashable, Sendable {
    package let kind: Kind
    package let reason: String
    package let advice: String?

    /// What is in the way.
    package enum Kind: Hashable, Sendable {
        /// The program does not go with the dump.
        case wrongProgram
        /// The dump, its root or its debugger is gone.
        case gone
        /// The files of the task are not ours to read or to write.
        case notPermitted
        /// The disk failed.
        case system
    }

    package init(_ kind: Kind, _ reason: String, advice: String? = nil) {
        self.kind = kind
        self.reason = reason
        self.advice = advice
    }
}

/// A program in the roots of a kept task, ready to be started, as the retracer would see them.
package struct InteractiveSession: Hashable, Sendable {
    package let command: SandboxedCommand
    package let limits: SandboxLimits
    /// What the person should know, a sentence each.
    package let remarks: [String]

    /// Prepares a program; what it needs besides the roots is put into the task's directory.
    ///
    /// - Parameters:
    ///   - more: Further arguments of the program.
    ///   - chroot: The roots as the job names them.
    ///   - terminal: The kind of terminal, `TERM`; nil where the program talks with a pipe.
    ///   - memoryBytes: How much address space the program may have; nil for the retracer's usual limits.
    ///   - user: Whom the kernel takes it for when we are root.
    /// - Throws: ``InteractiveRefusal``.
    package static func prepared(
        _ program: InteractiveProgram, arguments more: [String], for crash: Crash, _ resolution: Resolution,
        in chroot: Chroot, directory: TaskDirectory, terminal: String?, memoryBytes: UInt64?, user: SandboxUser
    ) async throws(InteractiveRefusal) -> InteractiveSession {
        let task = InteractiveTask(
            crash: crash, resolution: resolution, chroot: chroot, directory: directory, user: user,
            isAttended: terminal != nil)
        let prepared = try await onOtherThread { () throws -> (SandboxedCommand, [String]) in
            try task.checkRoots()
            try task.shareDump()
            switch program {
            case .gdb: return (try task.gdb(more), [])
            case .crash: return try task.crash(more)
            case .shell: return try task.shell(more)
            }
        }
        var command = prepared.0
        if let terminal, let place = TerminalDescription(terminal) {
            command.environment["TERM"] = terminal
            command.environment["TERMINFO"] = TerminalDescription.target
            command.binds.append(SandboxBind(place.folder, at: TerminalDescription.target))
        }
        let usual = RetraceLimits()
        var limits = usual.sandbox
        if crash.kind == .vmcore { limits.memoryBytes = max(limits.memoryBytes, usual.kernel.memoryBytes) }
        if let memoryBytes { limits.memoryBytes = memoryBytes }
        // A person thinks between two commands, and for days.
        limits.cpuSeconds = 7 * 86400
        return InteractiveSession(command: command, limits: limits, remarks: prepared.1)
    }

    private static func onOtherThread<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws(InteractiveRefusal) -> Value {
        do {
            return try await NIOThreadPool.singleton.runIfActive(work)
        } catch let error as InteractiveRefusal {
            throw error
        } catch let error as StageError {
            throw InteractiveRefusal(.gone, error.reason, advice: error.toolOutput ?? error.advice)
        } catch {
            guard [Errno.permissionDenied, .notPermitted].contains(error as? Errno) else {
                throw InteractiveRefusal(.system, "The files of the task cannot be read or written: \(error).")
            }
            throw .notPermitted
        }
    }
}

extension InteractiveRefusal {
    /// Somebody else's task.
    package static let notPermitted = InteractiveRefusal(
        .notPermitted, "The files of the task belong to the services' user, and you are not permitted to use them.",
        advice: "Run the command as root or as that user: sudo -u retrace retrace interact …")
}

/// Where this host describes a kind of terminal (terminfo(5)); no crash root has that.
private struct TerminalDescription {
    static let target = "/.terminfo"
    let folder: FilePath

    /// nil where nothing describes it. Blocking, but never for long.
    init?(_ name: String) {
        guard let first = name.first, name.utf8.count <= 64, !name.hasPrefix("."),
            name.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-+._".utf8.contains(byte)
                }
            })
        else { return nil }
        let folders = ["/etc/terminfo", "/lib/terminfo", "/usr/lib/terminfo", "/usr/share/terminfo"]
        guard let found = folders.first(where: { access("\($0)/\(first)/\(name)", R_OK) == 0 }) else { return nil }
        folder = FilePath(found)
    }
}
