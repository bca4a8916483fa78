import CrashModel
import Glibc
import Sandbox
import SystemPackage
import TaskStorage

/// One rung: the commands in one session, and in further ones what a command that hung or killed crash left undone.
struct SessionRun: Sendable {
    let analyst: KernelAnalyst
    let session: KernelSession
    let rung: AnalysisRung
    /// How often crash is started anew after a command took it down.
    private var restarts = 3

    init(analyst: KernelAnalyst, session: KernelSession, rung: AnalysisRung) {
        self.analyst = analyst
        self.session = session
        self.rung = rung
    }

    /// - Throws: ``StageError`` when crash could not be run or a file not be written.
    mutating func run(
        _ commands: [KernelCommand], _ findings: inout KernelFindings, log: inout RetraceLog,
        _ progress: @Sendable (String) async -> Void
    ) async throws(StageError) {
        var left = commands
        var isFirst = true
        while !left.isEmpty {
            let outcome = try await start(left, &findings, log: &log, progress)
            guard let done = outcome.done else {
                let reason = refusal(outcome, &findings)
                if isFirst {
                    findings.refuse(rung, reason)
                } else {
                    findings.remarks.append("\(names(left)): crash could not be started again. \(reason)")
                }
                return
            }
            if isFirst {
                guard reached(outcome, left, &findings) else { return }
                isFirst = false
                let warnings = outcome.words.filter { $0.hasPrefix("WARNING: ") }.prefix(5)
                findings.remarks += warnings.map { "crash: \($0)" }
            }
            guard done < left.count else { return }
            let stopped = left[done]
            findings.remarks.append(
                "\(stopped.name): crash \(ending(outcome.result)) in the middle of this command; "
                    + "what it had printed is kept.")
            let symbols = left.first { $0.name == KernelCommand.symbolsName && $0 != stopped }
            left = Array(left[(done + 1)...])
            if let symbols, !left.contains(symbols), !left.isEmpty { left.insert(symbols, at: 0) }
            if restarts == 0, !left.isEmpty {
                findings.remarks.append("\(names(left)): not run, because crash had failed too often.")
                return
            }
            restarts -= 1
        }
    }

    /// Runs a session and takes the outputs.
    private func start(
        _ commands: [KernelCommand], _ findings: inout KernelFindings, log: inout RetraceLog,
        _ progress: @Sendable (String) async -> Void
    ) async throws(StageError) -> KernelSession.Outcome {
        let shown = session.sandbox.command(
            ["-s", "-i", "(script)"] + session.options + rung.options + [session.files.vmlinux, session.sandbox.dump])
        log.note(shown)
        var early: DumpLog?
        let outcome = try await session.run(commands, on: rung) { index throws(StageError) in
            // What everybody waits for does not wait for the other commands.
            guard commands[index].name == "log" else { return }
            guard let found = try await onThread({ peek(index) }) else { return }
            early = found
            try await analyst.publish(found, progress)
        }
        log.note(outcome.result, of: "crash")
        for line in outcome.words.suffix(30) { log.note("crash: \(line)") }
        findings.debuggerTime += outcome.result.wallTime
        if let early { findings.log = early }
        for (index, command) in commands.enumerated() {
            let isDone = outcome.done.map { index <= $0 } ?? false
            guard isDone, command.name != KernelCommand.symbolsName else {
                _ = try await onThread { unlink(session.folder.output(index).string) }
                continue
            }
            let (byteCount, head) = try await onThread {
                try session.folder.take(
                    session.folder.output(index), as: command.name, limit: session.analysis.commandBytes,
                    headBytes: command.isRead ? KernelCommand.headBytes : 0)
            }
            let time = index < outcome.times.count ? " in \(outcome.times[index].milliseconds) ms" : ", not done"
            log.note("crash command \(command.lines.last ?? ""): \(byteCount) bytes\(time)")
            guard let head, command.name != "log" else { continue }
            findings.outputs[command.name] = head.text
            if command.isRead, !head.isWhole {
                findings.remarks.append(
                    "\(command.name): only the first \(head.text.utf8.count >> 10) KiB of this were looked at.")
            }
        }
        return outcome
    }

    /// The log as the session has just written it.
    private func peek(_ index: Int) -> DumpLog? {
        guard let log = try? KernelLog(at: session.folder.output(index)) else { return nil }
        let found = DumpLog(log, origin: "crash read it with the kernel's symbols.")
        // crash's messages go where the output goes, and nothing but them is no log.
        let isLog = TextLines(found.text).contains { line in
            !["log: ", "crash: ", "WARNING: "].contains(where: line.hasPrefix)
        }
        return isLog ? found : nil
    }

    /// Whether the rung holds: with symbols there must be a summary of the system, on the lowest one a log.
    private func reached(
        _ outcome: KernelSession.Outcome, _ commands: [KernelCommand], _ findings: inout KernelFindings
    ) -> Bool {
        if rung == .minimal {
            guard findings.log != nil else {
                findings.refuse(rung, "crash found no log with it" + quoted(outcome.words))
                return false
            }
        } else if findings.outputs["sys"] == nil {
            findings.refuse(rung, "crash started but could not sum up the system" + quoted(outcome.words))
            return false
        }
        findings.rung = rung
        return true
    }

    /// Why crash never came to its first command.
    private func refusal(_ outcome: KernelSession.Outcome, _ findings: inout KernelFindings) -> String {
        let result = outcome.result
        func fail(_ code: StageError.Code) {
            findings.lastFailure = (code, result.termination.exitStatus, outcome.words)
        }
        if outcome.words.contains(where: { $0.contains("do not match!") }) {
            if analyst.kernel.buildID != nil, session.files.doubt == nil {
                fail(.vmcoreUnreadable)
                return
                    "The vmlinux is the right one by its build-id, but crash does not find that kernel in the dump's "
                    + "memory: the dump is damaged."
            }
            findings.mismatched = true
            fail(.vmlinuxMismatch)
            return "crash says that the vmlinux and the dump do not match: it is another kernel's."
        }
        if result.termination == .timedOut {
            fail(.crashTimeout)
            let seconds = session.analysis.startTime.components.seconds
            return "crash was stopped because it had not come to its prompt within \(seconds) s" + quoted(outcome.words)
        }
        if ranOutOfMemory(result) || outcome.words.contains(where: { $0.contains("cannot malloc") }) {
            fail(.crashOutOfMemory)
            return "crash ran out of memory" + quoted(outcome.words)
        }
        fail(.vmcoreUnreadable)
        return "crash \(result.termination) before it came to its prompt"
            + (outcome.words.isEmpty ? " and said nothing." : quoted(outcome.words))
    }

    private func ending(_ result: ChildResult) -> String {
        switch result.termination {
        case .timedOut: "was stopped after \(session.analysis.commandTime.components.seconds) s"
        // RLIMIT_FSIZE: the output of one command.
        case .signalled(25): "was stopped after \(session.analysis.commandBytes >> 10) KiB of output"
        default: result.termination.description
        }
    }

    private func names(_ commands: [KernelCommand]) -> String {
        commands.filter { $0.name != KernelCommand.symbolsName }.map(\.name).joined(separator: ", ")
    }

    /// crash's own last words.
    private func quoted(_ words: [String]) -> String {
        words.isEmpty ? "." : ": " + words.suffix(3).joined(separator: " / ")
    }
}
