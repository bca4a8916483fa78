import Glibc
import NIOPosix
import SystemPackage

/// Runs one program in a root of its own, with nothing of the host in reach.
///
/// bubblewrap gives it private mount, pid, network, ipc, uts and cgroup namespaces and a user namespace without
/// capabilities in which no further one can be made; setpriv(1) takes the service's root away first, so that the kernel
/// takes the child for ``SandboxedCommand/user``; prlimit(1) sets the limits. The program and everything that it started
/// is killed when it exits, at its deadline, when the Swift task is cancelled and when the service dies; what it left
/// behind is gone some milliseconds after the call.
///
/// - Parameter watch: Sees its standard output at once and may end it before ``SandboxLimits/wallTime`` does.
/// - Throws: ``SandboxError`` when the program could not be started in its sandbox.
package func runSandboxed(
    _ command: SandboxedCommand, limits: SandboxLimits, watch: ChildWatch? = nil
) async throws(SandboxError) -> ChildResult {
    let result = try await runChild(
        try await commandLine(for: command, limits: limits), environment: plainEnvironment, workingDirectory: nil,
        limits: limits, watch: watch)
    if let problem = setupProblem(of: result) { throw problem }
    guard case .exited(let status) = result.termination, (129...192).contains(status) else { return result }
    return ChildResult(
        termination: .signalled(status - 128), standardOutput: result.standardOutput,
        standardError: result.standardError, wallTime: result.wallTime)
}

/// Everything that is started for `command`, down to the program itself.
///
/// - Parameter inOwnSession: Whether bwrap takes the program's terminal away.
func commandLine(
    for command: SandboxedCommand, limits: SandboxLimits, inOwnSession: Bool = true
) async throws(SandboxError) -> [String] {
    let (entries, staging) = try await survey(command)
    var staged = command
    staged.root = staging.root
    staged.binds = staging.binds
    let arguments = try bubblewrapArguments(
        for: staged, rootEntries: entries, limits: limits, inOwnSession: inOwnSession)
    return staging.prefix + wrapped(arguments, user: command.user, limits: limits)
}

/// `arguments` behind the programs that take privileges and set limits.
func wrapped(_ arguments: [String], user: SandboxUser, limits: SandboxLimits) -> [String] {
    var command = ["setpriv", "--pdeathsig", "KILL"]
    if geteuid() == 0 {
        command += ["--reuid=\(user.userID)", "--regid=\(user.groupID)", "--clear-groups"]
    }
    // The kernel counts processes for each user and user namespace: in one of its own a child neither takes from the
    // share of the other children of the same user, nor they from its.
    command += ["--", "unshare", "--user", "--map-current-user", "--"]
    return command + ["prlimit"] + limits.prlimitOptions + ["--"] + arguments
}

/// One entry of the directory that becomes `/`.
struct RootEntry: Hashable, Sendable {
    let name: String
    /// The target of a symbolic link; nil for anything else.
    let link: String?
}

/// Looks at the root and at the ways to the sources, on a thread that may block.
private func survey(_ command: SandboxedCommand) async throws(SandboxError) -> ([RootEntry], Staging) {
    do {
        return try await NIOThreadPool.singleton.runIfActive {
            (try listRoot(command.root), Staging(for: command))
        }
    } catch let error as SandboxError {
        throw error
    } catch {
        throw SandboxError(.cancelled, "The service is stopping, so nothing was run.")
    }
}

private func listRoot(_ root: FilePath) throws(SandboxError) -> [RootEntry] {
    guard let directory = opendir(root.string) else {
        throw SandboxError(.setupFailed, "The root \(root) cannot be read: \(Errno(rawValue: errno)).")
    }
    defer { closedir(directory) }
    var entries: [RootEntry] = []
    while let entry = readdir(directory) {
        // d_name is a fixed array in the struct: take it as the C string that it holds.
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name == "." || name == ".." { continue }
        entries.append(RootEntry(name: name, link: readLink(root.appending(name))))
    }
    return entries.sorted { $0.name < $1.name }
}

/// The target of a symbolic link; nil for anything else.
private func readLink(_ path: FilePath) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
        guard let start = buffer.baseAddress else { return nil }
        let count = readlink(path.string, start, buffer.count)
        return count < 0 ? nil : String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
