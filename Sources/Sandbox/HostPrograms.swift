import Glibc
package import SystemPackage

extension SandboxedCommand {
    /// A program of the host, such as makedumpfile(8), in a sandbox that has the host's programs and libraries and nothing
    /// else of it. Blocking.
    ///
    /// - Parameters:
    ///   - arguments: The program, as an absolute path below `/usr`, and its arguments.
    ///   - root: An empty folder, which gets the links of the host's root.
    ///   - binds: What it is to see beside that.
    package static func hostProgram(
        _ arguments: [String], root: FilePath, binds: [SandboxBind], user: SandboxUser
    ) -> SandboxedCommand {
        var system = [SandboxBind("/usr", at: "/usr")]
        for name in ["bin", "sbin", "lib", "lib32", "lib64"] {
            var facts = stat()
            guard lstat("/" + name, &facts) == 0 else { continue }
            if facts.st_mode & S_IFMT == S_IFLNK {
                // Debian's and Fedora's are links into /usr.
                symlink("usr/" + name, root.appending(name).string)
            } else {
                system.append(SandboxBind(FilePath("/" + name), at: "/" + name))
            }
        }
        return SandboxedCommand(
            root: root, binds: system + binds, environment: ["LC_ALL": "C", "PATH": "/usr/bin:/bin"],
            arguments: arguments, workingDirectory: "/tmp", user: user)
    }
}
