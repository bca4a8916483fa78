import SystemPackage

/// The command line of bwrap(1), version 0.8 or later, for `command`.
///
/// `/` is a tmpfs that holds a read-only mount of every entry of the root, so that mount points can be made anywhere
/// below it; it is made read-only at the end.
///
/// - Throws: ``SandboxError`` with code `invalidCommand` for a path inside the sandbox that is not absolute.
func bubblewrapArguments(
    for command: SandboxedCommand, rootEntries: [RootEntry], limits: SandboxLimits, inOwnSession: Bool = true
) throws(SandboxError) -> [String] {
    let inside =
        command.binds.map(\.target) + command.scratch + [command.workingDirectory, command.arguments.first ?? ""]
    if let path = inside.first(where: { !$0.hasPrefix("/") || $0.split(separator: "/").contains("..") }) {
        throw SandboxError(.invalidCommand, "The path '\(path)' inside the sandbox is not absolute and plain.")
    }
    var arguments = bubblewrapIsolation + (inOwnSession ? [newSession] : [])
    // What the sandbox has of its own hides the root's.
    let targets = command.binds.map(\.target) + command.scratch
    let own = Set(["proc", "dev", "sys"] + targets.map { String($0.dropFirst()) })
    for entry in rootEntries where !own.contains(entry.name) {
        if let link = entry.link {
            arguments += ["--symlink", link, "/\(entry.name)"]
        } else {
            arguments += ["--ro-bind", command.root.appending(entry.name).string, "/\(entry.name)"]
        }
    }
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for path in command.scratch { arguments += ["--size", "\(limits.scratchBytes)", "--tmpfs", path] }
    for bind in command.binds {
        arguments += [bind.writable ? "--bind" : "--ro-bind", bind.source.string, bind.target]
    }
    arguments += ["--remount-ro", "/", "--chdir", command.workingDirectory]
    for (name, value) in command.environment.sorted(by: { $0.key < $1.key }) {
        arguments += ["--setenv", name, value]
    }
    return arguments + ["--"] + command.arguments
}

/// Takes the program's terminal away: it cannot fake the input of whoever started it (`TIOCSTI`).
let newSession = "--new-session"

/// What holds for every child: all namespaces are private, no user namespace can be made inside, no capability is left,
/// the environment is empty, and everything dies with bwrap.
let bubblewrapIsolation = [
    "bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent",
    "--cap-drop", "ALL", "--clearenv", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox",
]
