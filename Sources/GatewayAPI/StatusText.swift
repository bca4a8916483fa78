import CrashModel
import FoundationEssentials
import TaskStorage

/// The body of `/<id>`: what ABRT's client prints whenever it changes. Never empty.
///
/// - Parameters:
///   - ahead: How many unfinished tasks are older.
///   - timings: When the stages worked; shown for a task that ended well.
///   - facts: What the stages learnt; how good the result is, for a task that ended well, and what is missing of the dump.
///   - language: What our own sentences are written in; those of the stages are English where no catalogue has them.
func statusText(
    of task: RetraceTask, ahead: Int, timings: [StageTiming], facts: [String: String] = [:],
    in language: Language = .english
) -> String {
    let lines =
        switch task.state {
        case .pending: progressLines(of: task, ahead: ahead) + kernelLines(facts)
        case .success: successLines(of: task, timings: timings, facts: facts)
        case .failure: failureLines(of: task) + kernelLines(facts) + truncationLines(facts)
        }
    return printable(lines.map { $0.text(in: language) }.joined(separator: "\n") + "\n")
}

/// The text without what commands a terminal or turns the direction of writing (C0 and C1 controls but tab and newline,
/// and Unicode's bidirectional controls): names of files and functions in it come from the upload.
func printable(_ text: String) -> String {
    var clean = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        let isCommand =
            switch scalar.value {
            case 0x09, 0x0a: false
            case 0..<0x20, 0x7f...0x9f, 0x202a...0x202e, 0x2066...0x2069: true
            default: false
            }
        clean.append(isCommand ? "\u{fffd}" : scalar)
    }
    return String(clean)
}

private func progressLines(of task: RetraceTask, ahead: Int) -> [Message] {
    var lines: [Message] = []
    if let stage = task.stage, let kind = task.stageKind {
        // Few tasks need packages to be fetched.
        let stages = Stage.allCases.filter { $0 != .fetch || stage == .fetch }
        let next = kind == .succeeded ? stages.drop { $0 != stage }.dropFirst().first : nil
        switch kind {
        case .retrying: lines.append(Message(.tryingAgain, ["activity": stage.activity]))
        case .succeeded:
            lines.append(next.map { Message(.waitingFor, ["activity": $0.activity]) } ?? Message(.waitingForNextStage))
        case .started, .progress, .failed: lines.append(Message(.inWork, ["activity": stage.activity]))
        }
        if let message = task.message, !message.isEmpty, message != stage.activity { lines.append(.ofStage(message)) }
        if let fraction = task.fraction, kind == .progress {
            lines.append(Message(.partOfStage, ["percent": Int(fraction * 100)]))
        }
    } else {
        lines.append(Message(.notBegun))
    }
    if ahead > 0 { lines.append(ahead == 1 ? Message(.oneOlderTask) : Message(.olderTasks, ["count": ahead])) }
    return lines
}

private func successLines(of task: RetraceTask, timings: [StageTiming], facts: [String: String]) -> [Message] {
    var lines = [Message(.backtraceReady, ["path": "/\(task.id)/backtrace"])]
    if let package = task.package { lines.append(Message(.crashedPackage, ["package": package])) }
    if let signal = task.signal { lines.append(Message(.signal, ["signal": signal])) }
    lines += kernelLines(facts) + qualityLines(facts)
    let times = timings.compactMap { timing in
        timing.microseconds.map { "\(timing.stage.rawValue) \(seconds($0)) s" }
    }
    if !times.isEmpty { lines.append(Message(.time, ["times": times.joined(separator: ", ")])) }
    return lines
}

/// What is missing of the dump.
private func truncationLines(_ facts: [String: String]) -> [Message] {
    facts["truncation"].map { [.ofStage($0)] } ?? []
}

/// Which kernel stopped, and why; nothing for a program's crash.
private func kernelLines(_ facts: [String: String]) -> [Message] {
    var lines: [Message] = []
    if let kernel = facts["kernel"] {
        let buildID = facts["kernel_build_id"].map { " (build-id \($0))" } ?? ""
        lines.append(Message(.kernel, ["kernel": kernel + buildID]))
    }
    if let panic = facts["panic"] { lines.append(Message(.panic, ["panic": panic])) }
    return lines
}

/// How much of the crash could be named, so that nobody takes a poor result for a good one.
private func qualityLines(_ facts: [String: String]) -> [Message] {
    var lines: [Message] = []
    lines += truncationLines(facts)
    if let named = facts["symbolised_frames"], let all = facts["frames"] {
        lines.append(Message(.namedFrames, ["named": named, "all": all]))
    }
    if let complete = facts["modules_complete"], let all = facts["modules"] {
        lines.append(Message(.completeModules, ["complete": complete, "all": all]))
    }
    if let release = facts["release"] {
        let evidence = facts["release_evidence"].map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
        lines.append(Message(.release, ["release": release + (evidence.map { " (\($0))" } ?? "")]))
    }
    return lines
}

private func failureLines(of task: RetraceTask) -> [Message] {
    guard let failure = task.failure else { return [Message(.failed, ["log": "/\(task.id)/log"])] }
    var lines = [
        Message(.failedWhile, ["activity": failure.stage.activity]),
        .ofStage(failure.reason, code: failure.code),
    ]
    if let advice = failure.advice { lines.append(.ofStage(advice)) }
    lines.append(
        failure.exitStatus.map { Message(.codeAndExitStatus, ["code": failure.code, "status": $0]) }
            ?? Message(.code, ["code": failure.code]))
    return lines
}

/// The head of `/<id>/log`: every event that is kept, a line each, then the tool's last words if the task failed.
func logText(of task: RetraceTask, events: [RecordedEvent]) -> String {
    var lines = events.map { event in
        let attempt = event.attempt > 1 ? " (attempt \(event.attempt))" : ""
        return "[\(utc(event.microseconds))] \(event.stage.rawValue) \(event.kind.rawValue)\(attempt): \(event.message)"
    }
    if let failure = task.failure {
        lines += failureLines(of: task).map { $0.text(in: .english) }
        if let output = failure.toolOutput, !output.isEmpty { lines += ["The last lines of its output:", output] }
    }
    return lines.map { $0 + "\n" }.joined()
}

/// `2026-11-23T18:30:27.125Z`.
private func utc(_ microseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(microseconds) / 1e6)
        .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
}

/// Seconds with two decimals, by the rules of arithmetic and not of a locale.
private func seconds(_ microseconds: Int64) -> String {
    let hundredths = (microseconds + 5000) / 10_000
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
}
