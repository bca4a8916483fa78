import Glibc
import SystemPackage

/// Makes directories that only root may enter, such as a checkout in `/root`, reachable for the sandbox's user.
///
/// An outer bwrap, still with root's rights, mounts each source into a tmpfs of its own mount namespace, where the inner
/// one finds it; nothing of the host's permissions changes.
struct Staging: Sendable {
    /// What goes in front of the programs that drop root; empty where none of it is needed.
    let prefix: [String]
    let root: FilePath
    let binds: [SandboxBind]

    /// Looks at the permissions of every directory above the sources. Blocking.
    init(for command: SandboxedCommand) {
        let sources = [command.root] + command.binds.map(\.source)
        guard geteuid() == 0, !sources.allSatisfy(isReachableByAll) else {
            (prefix, root, binds) = ([], command.root, command.binds)
            return
        }
        var prefix = ["bwrap", "--die-with-parent", "--dev-bind", "/", "/", "--perms", "0711", "--tmpfs", "/tmp"]
        for (index, source) in sources.enumerated() {
            let writable = index > 0 && command.binds[index - 1].writable
            prefix += [writable ? "--bind" : "--ro-bind", source.string, "/tmp/\(index)"]
        }
        self.prefix = prefix + ["--"]
        root = "/tmp/0"
        binds = command.binds.enumerated().map { index, bind in
            SandboxBind(FilePath("/tmp/\(index + 1)"), at: bind.target, writable: bind.writable)
        }
    }
}

/// Whether everybody may pass through all directories above `path`.
private func isReachableByAll(_ path: FilePath) -> Bool {
    var directory = path.removingLastComponent()
    while true {
        var facts = stat()
        // What cannot be looked at is left to bwrap, which says why.
        if stat(directory.string, &facts) == 0, facts.st_mode & S_IXOTH == 0 { return false }
        let parent = directory.removingLastComponent()
        if parent == directory || parent.isEmpty { return true }
        directory = parent
    }
}
