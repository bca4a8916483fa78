import Glibc
import Sandbox
import SystemPackage

/// A program of the host, such as makedumpfile(8), in a sandbox that has the host's programs and libraries and nothing else
/// of it.
struct HostTool: Sendable {
    /// Absolute, below `/usr`.
    let program: String
    let user: SandboxUser

    static let makedumpfile = "/usr/bin/makedumpfile"

    /// Whether the host has it. Blocking.
    var isInstalled: Bool { access(program, X_OK) == 0 }

    /// - Parameter folder: Where an empty folder `root` is, which gets the links of the host's root. Blocking.
    func command(_ arguments: [String], in folder: SandboxFolder, binds: [SandboxBind]) -> SandboxedCommand {
        .hostProgram([program] + arguments, root: folder.root, binds: binds, user: user)
    }
}
