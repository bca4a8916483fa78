import ArgumentParser
import RetraceClient

/// Watches a task to its end with live progress, then says how it went.
///
/// - Throws: `ExitCode` with ``ExitStatus/failed`` when the task failed, after its reason and the end of its log.
func followLive(_ credentials: TaskCredentials, on server: RetraceServer) async throws {
    var display = ProgressDisplay()
    let watched = WatchedTask()
    let outcome = await withTaskGroup(of: Void.self) { group in
        group.addTask { await server.listen(to: credentials, into: watched) }
        defer { group.cancelAll() }
        return await follow(credentials, on: server, watched, &display)
    }
    display.end()
    let status = try outcome.get()
    guard status.state == .success else {
        try await tellFailure(status, credentials, on: server)
        throw ExitCode(ExitStatus.failed.rawValue)
    }
    for line in status.linesWithoutTimes.dropFirst() { Console.say(printable(line)) }
    let times = status.stageTimes.map { "\(printable($0.stage)) \(hundredths($0.seconds)) s" }
    let stages = times.isEmpty ? "" : " (\(times.joined(separator: ", ")))"
    let total = status.stageTimes.reduce(0) { $0 + $1.seconds }
    let sum = times.isEmpty ? "" : " The stages took \(hundredths(total)) s\(stages)."
    Console.say(Console.colour(.green, "Done") + " after \(display.elapsed) s.\(sum)")
    Console.say("'retrace backtrace \(credentials.task)' prints the backtrace.")
}

/// The last status, by what the server says by itself and else by asking it.
private func follow(
    _ credentials: TaskCredentials, on server: RetraceServer, _ watched: WatchedTask,
    _ display: inout ProgressDisplay
) async -> Result<TaskStatus, ClientError> {
    do throws(ClientError) {
        return .success(
            try await followTask(
                ask: { () throws(ClientError) in
                    if let status = watched.status { return status }
                    return try await server.status(of: credentials)
                },
                sleep: { try await display.wait(watched.status == nil ? $0 : min($0, .milliseconds(100))) },
                report: { news in
                    switch news {
                    case .status(let status) where status.state == .pending:
                        let lines = status.lines.map(printable)
                        display.show(stage: lines.first ?? "Waiting", detail: lines.dropFirst().joined(separator: " "))
                    case .status: break
                    case .silent(let error): display.show(stage: "Waiting for the server.", detail: error.reason)
                    }
                }))
    } catch {
        return .failure(error)
    }
}

private func tellFailure(
    _ status: TaskStatus, _ credentials: TaskCredentials, on server: RetraceServer
) async throws(ClientError) {
    let lines = status.lines.map(printable)
    Console.say(Console.colour(.red, lines.first ?? "The task failed."))
    for line in lines.dropFirst() { Console.say(line) }
    let log = try await server.text("log", of: credentials)
    let tail = printable(log).split(whereSeparator: \.isNewline).suffix(20)
    guard !tail.isEmpty else { return }
    Console.say(Console.colour(.dim, "The end of its log ('retrace log \(credentials.task)' has all of it):"))
    for line in tail { Console.say("  " + line) }
}

/// Writes a result to standard output as it comes; what commands a terminal is made visible on one.
func printResult(
    _ document: String, of credentials: TaskCredentials, on server: RetraceServer
) async throws(ClientError) {
    guard Console.resultIsTerminal else {
        try await server.download(document, of: credentials) { try Console.result($0) }
        return
    }
    var filter = TerminalFilter()
    try await server.download(document, of: credentials) { piece in
        try Console.result(Array(filter.take(piece).utf8))
    }
    try Console.result(Array(filter.finish().utf8))
}

/// Seconds with two decimals.
func hundredths(_ seconds: Double) -> String {
    let number = Int((max(0, min(seconds, 1e9)) * 100).rounded())
    return "\(number / 100).\(number % 100 < 10 ? "0" : "")\(number % 100)"
}
