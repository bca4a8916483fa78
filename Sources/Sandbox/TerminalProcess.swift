import Glibc
import SystemPackage

/// A sandboxed program that takes the place of the calling process, for a person or a pipe that talks with it.
package struct TerminalProcess: Hashable, Sendable {
    /// The program and its arguments, as execve(2) gets them; the program is looked up in ``plainEnvironment``'s `PATH`.
    let arguments: [String]
    let environment: [String: String]

    /// What runs `command` in the same sandbox as ``runSandboxed(_:limits:watch:)`` does, but for wall time and output,
    /// which nobody watches.
    ///
    /// - Parameter onTerminal: Whether it talks with a terminal. script(1) then gives it a pseudo-terminal of its own:
    ///   characters that a hostile program pushes into its terminal's input (`TIOCSTI`, ioctl_tty(2)) reach nobody but
    ///   itself. Otherwise it gets a session without a terminal, and a descriptor of one is of no use for that.
    /// - Throws: ``SandboxError`` when the command or its root cannot be used.
    package init(
        _ command: SandboxedCommand, limits: SandboxLimits, onTerminal: Bool
    ) async throws(SandboxError) {
        let bare = try await commandLine(for: command, limits: limits.withinOwnLimits, inOwnSession: !onTerminal)
        guard bare.allSatisfy({ !$0.utf8.contains(0) }) else {
            throw SandboxError(.invalidCommand, "No argument of the program may hold a NUL byte.")
        }
        guard onTerminal else {
            arguments = bare
            environment = plainEnvironment
            return
        }
        // bwrap would die of the ^C that is meant for the program; debuggers set their own handler.
        let line = "trap '' INT QUIT; exec " + bare.map(shellQuoted).joined(separator: " ")
        arguments = ["script", "--quiet", "--return", "--command", line, "/dev/null"]
        let terminal = command.environment["TERM"] ?? "dumb"
        environment = plainEnvironment.merging(["SHELL": "/bin/sh", "TERM": terminal]) { _, new in new }
    }

    /// Replaces the process; it only comes back when that cannot be done.
    ///
    /// - Throws: ``SandboxError`` with `programMissing` or `spawnFailed`.
    package func replaceThisProcess() throws(SandboxError) -> Never {
        let name = arguments.first ?? ""
        let places = (environment["PATH"] ?? "").split(separator: ":").map { folder in "\(folder)/\(name)" }
        guard let path = places.first(where: { (place: String) in access(place, X_OK) == 0 }) else {
            let packages =
                name == "script" ? "bsdutils (Debian) or util-linux-script (Fedora)" : "bubblewrap and util-linux"
            throw SandboxError(.programMissing, "The program \(name) is not installed: install \(packages).")
        }
        // What the process ignored or held back would go on in the program.
        signal(SIGPIPE, SIG_DFL)
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        execve(path, &words, &variables)
        let reason = Errno(rawValue: errno)
        for word in words + variables { free(word) }
        throw SandboxError(.spawnFailed, "\(path) cannot be started: \(reason).")
    }
}

extension SandboxLimits {
    /// What a process without privileges may set: a person's session may have limits of its own (limits.conf(5)), and none
    /// can be raised.
    fileprivate var withinOwnLimits: SandboxLimits {
        func hard(_ resource: __rlimit_resource) -> UInt64 {
            var limit = rlimit()
            return getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 ? UInt64(limit.rlim_max) : .max
        }
        var bounded = self
        bounded.memoryBytes = min(memoryBytes, hard(RLIMIT_AS))
        // The hard limit is set five seconds above the soft one.
        bounded.cpuSeconds = min(cpuSeconds, max(hard(RLIMIT_CPU), 6) - 5)
        bounded.fileBytes = min(fileBytes, hard(RLIMIT_FSIZE))
        bounded.openFiles = min(openFiles, hard(RLIMIT_NOFILE))
        bounded.processes = min(processes, hard(__RLIMIT_NPROC))
        return bounded
    }
}

/// One word of sh(1), whatever is in it.
private func shellQuoted(_ word: String) -> String {
    "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
