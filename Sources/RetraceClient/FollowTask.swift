/// How a task is watched.
package struct FollowPace: Sendable {
    /// The wait before the second question; every quiet answer makes it half as long again.
    package var shortest: Duration
    package var longest: Duration
    /// How long a server that does not answer is waited for, so that a restart of it does not end the watch.
    package var patience: Duration

    package init(
        shortest: Duration = .milliseconds(50), longest: Duration = .seconds(2), patience: Duration = .seconds(120)
    ) {
        self.shortest = shortest
        self.longest = longest
        self.patience = patience
    }
}

/// What there is to show while a task is watched.
package enum FollowNews: Hashable, Sendable {
    /// The server's words have changed.
    case status(TaskStatus)
    /// The server does not answer; the watch goes on.
    case silent(ClientError)
}

/// Watches a task until it has ended, and gives its last status.
///
/// - Parameters:
///   - ask: Asks the server for the status.
///   - sleep: Waits; a display may move meanwhile.
///   - report: Called whenever something has changed.
/// - Throws: What `ask` throws, `unavailable` only after the pace's patience; `unavailable` too when `sleep` throws.
package func followTask(
    pace: FollowPace = FollowPace(), ask: () async throws(ClientError) -> TaskStatus,
    sleep: (Duration) async throws -> Void, report: (FollowNews) async -> Void
) async throws(ClientError) -> TaskStatus {
    var last: FollowNews?
    var wait = pace.shortest
    var silence = Duration.zero
    while true {
        var news: FollowNews
        do throws(ClientError) {
            let status = try await ask()
            news = .status(status)
            silence = .zero
        } catch  where error.kind == .unavailable && silence < pace.patience {
            news = .silent(error)
            silence += wait
        }
        if news != last {
            await report(news)
            last = news
            wait = pace.shortest
        } else {
            wait = min(wait * 3 / 2, pace.longest)
        }
        if case .status(let status) = news, status.state != .pending { return status }
        do {
            try await sleep(wait)
        } catch {
            throw ClientError(.unavailable, "The watch was given up; the task goes on at the server.")
        }
    }
}
