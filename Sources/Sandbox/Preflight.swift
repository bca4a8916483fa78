/// Says in one sentence why no sandbox can be made on this host and what to do about it; nil when it works.
///
/// It runs a real child, so that every layer is tried: to be called when a service starts.
package func sandboxProblem(for user: SandboxUser = .nobody) async -> SandboxError? {
    // A host that starts all of its services at once is slow and not unfit.
    let limits = SandboxLimits(wallTime: .seconds(90), outputBytes: 1 << 16)
    let trial =
        bubblewrapIsolation + [
            newSession, "--ro-bind", "/usr", "/usr", "--ro-bind-try", "/lib", "/lib", "--ro-bind-try", "/lib64",
            "/lib64",
            "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/", "--", "/usr/bin/env",
        ]
    do {
        let result = try await runChild(
            wrapped(trial, user: user, limits: limits), environment: plainEnvironment, workingDirectory: nil,
            limits: limits)
        if let problem = setupProblem(of: result) { return problem }
        guard result.succeeded else {
            return SandboxError(.setupFailed, "A trial run in the sandbox \(result.termination).")
        }
        return nil
    } catch {
        return error
    }
}

/// Reads in the output of a child whether the programs around it failed before it was started; nil when it ran.
func setupProblem(of result: ChildResult) -> SandboxError? {
    guard case .exited(let status) = result.termination, status != 0, result.standardOutput.isEmpty else { return nil }
    let line = String(decoding: result.standardError.prefix { $0 != UInt8(ascii: "\n") }.prefix(500), as: UTF8.self)
    guard let tool = ["bwrap", "setpriv", "prlimit", "unshare"].first(where: { line.hasPrefix("\($0): ") }) else {
        return nil
    }
    if status == 127 || line.contains("failed to execute") {
        return SandboxError(
            .programMissing,
            "A program of the sandbox is not installed (\(line)): install the packages bubblewrap and util-linux.")
    }
    if line.contains("Resource temporarily unavailable") {
        return SandboxError(
            .spawnFailed,
            "The sandbox's user has as many processes as it may (\(line)): try again, or raise the limit of processes.")
    }
    if tool == "bwrap" || tool == "unshare", let advice = namespaceAdvice(for: line) {
        return SandboxError(
            .setupFailed, "This host does not let the sandbox make its namespaces (\(line)): \(advice).")
    }
    return SandboxError(
        .setupFailed,
        "The sandbox could not be set up (\(line)): see that its paths exist and that its user may reach them.")
}

private func namespaceAdvice(for line: String) -> String? {
    if line.contains("No space left on device") {
        return "raise the sysctl user.max_user_namespaces"
    }
    let words = ["namespace", "unshare failed", "uid map", "gid map", "loopback", "Creating new namespace"]
    guard words.contains(where: line.contains) else { return nil }
    return """
        set the sysctl kernel.unprivileged_userns_clone=1 (Debian) or \
        kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), or give a container the right to make user namespaces
        """
}
