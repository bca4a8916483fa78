import CrashModel
import Sandbox
import SystemPackage

/// One run of crash(8) that does several commands.
struct KernelSession: Sendable {
    let sandbox: KernelSandbox
    let folder: SandboxFolder
    let files: KernelFiles
    let analysis: KernelAnalysis
    let limits: SandboxLimits
    /// crash's options beyond the rung's.
    var options: [String] = []

    /// How a session ended.
    struct Outcome: Sendable {
        let result: ChildResult
        /// How many commands are done; nil when crash did not come so far as to obey any.
        let done: Int?
        /// How long each of them took.
        let times: [Duration]
        /// crash's own words outside the outputs of commands.
        let words: [String]
    }

    /// Runs the commands; the deadline moves with each of them.
    ///
    /// - Parameter finished: Is told the index of each command when it is done.
    /// - Throws: ``SandboxError`` when crash could not be started, ``StageError`` when a file could not be written.
    func run(
        _ commands: [KernelCommand], on rung: AnalysisRung, finished: (Int) async throws(StageError) -> Void
    ) async throws(StageError) -> Outcome {
        let script = KernelScript(commands) { "/.output\($0)" }
        try await onThread {
            try folder.put(Array(script.text.utf8), at: folder.script, writable: false)
            for index in commands.indices { try folder.put([], at: folder.output(index), writable: true) }
        }
        let command = sandbox.command(
            ["-s", "-i", "/.commands"] + options + rung.options + [files.vmlinux, sandbox.dump],
            binds: [SandboxBind(folder.script, at: "/.commands")]
                + commands.indices.map { SandboxBind(folder.output($0), at: "/.output\($0)", writable: true) })
        let progress = SessionProgress(nonce: script.nonce)
        let (stream, continuation) = AsyncStream<Int>.makeStream()
        let watch = ChildWatch(first: analysis.startTime) { [analysis] bytes in
            let marks = progress.take(bytes)
            for mark in marks where mark > 0 { continuation.yield(mark - 1) }
            guard let last = marks.last else { return nil }
            return last < commands.count && commands[last].name == KernelCommand.symbolsName
                ? analysis.startTime : analysis.commandTime
        }
        async let run: Result<ChildResult, SandboxError> = {
            defer { continuation.finish() }
            do throws(SandboxError) {
                return .success(try await runSandboxed(command, limits: sessionLimits(commands.count), watch: watch))
            } catch {
                return .failure(error)
            }
        }()
        for await index in stream { try await finished(index) }
        switch await run {
        case .failure(let error): throw failure(of: error, tool: "crash")
        case .success(let result):
            return Outcome(
                result: result, done: progress.done, times: progress.times, words: Self.words(result, script.nonce))
        }
    }

    private func sessionLimits(_ commands: Int) -> SandboxLimits {
        var limits = limits
        limits.memoryBytes = max(limits.memoryBytes, analysis.memoryBytes)
        // The watch ends a session that does not move; this is what all of it may take.
        limits.wallTime = analysis.startTime * 2 + analysis.commandTime * (commands + 1)
        limits.cpuSeconds = max(limits.cpuSeconds, UInt64(clamping: limits.wallTime.components.seconds))
        limits.outputBytes = 4 << 20
        limits.fileBytes = UInt64(analysis.commandBytes)
        return limits
    }

    /// The lines of both outputs, without marks and without the help that follows a refusal.
    private static func words(_ result: ChildResult, _ nonce: String) -> [String] {
        let text = safeText(result.standardOutput.prefix(1 << 16)) + "\n" + safeText(result.standardError.suffix(4096))
        var words: [String] = []
        for line in text.split(whereSeparator: \.isNewline).map({ trimmed(String($0)) }) where !line.isEmpty {
            if line == "Usage:" || line.hasPrefix("NOTE: minimal mode commands") { continue }
            if line.hasPrefix("crash [OPTION]") || line.hasPrefix("Enter \"crash -h\"") { continue }
            if !line.contains(nonce) { words.append(String(line.prefix(300))) }
        }
        return words
    }
}
