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
    func command(_ arguments: [String], in folder: SessionFolder, binds: [SandboxBind]) -> SandboxedCommand {
        var system = [SandboxBind("/usr", at: "/usr")]
        for name in ["bin", "sbin", "lib", "lib32", "lib64"] {
            var facts = stat()
            guard lstat("/" + name, &facts) == 0 else { continue }
            if facts.st_mode & S_IFMT == S_IFLNK {
                // Debian's and Fedora's are links into /usr.
                symlink("usr/" + name, folder.root.appending(name).string)
            } else {
                system.append(SandboxBind(FilePath("/" + name), at: "/" + name))
            }
        }
        return SandboxedCommand(
            root: folder.root, binds: system + binds, environment: ["LC_ALL": "C", "PATH": "/usr/bin:/bin"],
            arguments: [program] + arguments, workingDirectory: "/tmp", user: user)
    }
}
