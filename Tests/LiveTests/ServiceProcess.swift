import Glibc
import Subprocess
import SystemPackage

/// One of the six services as a process: its log as it comes, and its end.
actor ServiceProcess {
    nonisolated let name: String
    /// The lines that it printed on standard error, over all its lives.
    nonisolated let log = Record<String>()
    /// What became of each life, as `exited(0)`.
    nonisolated let ends = Record<String>()
    private(set) var pid: Int32?

    init(_ name: String) { self.name = name }

    /// Runs it once, until it ends or the task is cancelled; then it is stopped in order and after that killed.
    func live(_ program: FilePath, arguments: [String], environment: [String: String]) async {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(30))]
        var variables: [Environment.Key: String] = [:]
        for (name, value) in environment { variables[Environment.Key(stringLiteral: name)] = value }
        do {
            let outcome = try await run(
                .path(program), arguments: Arguments(arguments), environment: .custom(variables),
                platformOptions: options, input: .none, output: .discarded, error: .sequence
            ) { execution in
                begin(execution.processIdentifier.value)
                for try await line in execution.standardError.strings() { await log.append(line) }
            }
            pid = nil
            await ends.append("\(outcome.terminationStatus)")
        } catch {
            pid = nil
            await ends.append("\(error)")
        }
    }

    private func begin(_ number: Int32) { pid = number }

    /// Sends a signal and waits for the end of this life.
    ///
    /// - Returns: How it ended; nil when it does not run, or did not end in time.
    func end(with signal: Int32, within limit: Duration = .seconds(90)) async -> String? {
        guard let pid else { return nil }
        let lives = await ends.entries.count
        kill(pid, signal)
        return await ends.first(from: lives, within: limit) { _ in true }
    }
}
