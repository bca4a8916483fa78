/// Keeps all downloads of a repository together below a number of bytes a second.
actor RateLimit {
    private let bytesPerSecond: UInt64
    private let clock = ContinuousClock()
    private var pace = Pace()

    init(bytesPerSecond: UInt64) { self.bytesPerSecond = max(bytesPerSecond, 1) }

    /// Waits as long as these bytes, which have come, should have taken.
    func took(_ count: Int) async throws {
        let now = clock.now
        let due = pace.due(after: count, at: bytesPerSecond, now: now)
        if due > now { try await clock.sleep(until: due) }
    }
}

/// When the next bytes may come.
struct Pace: Sendable {
    private var free: ContinuousClock.Instant?

    /// - Returns: The moment at which `count` bytes more are within the rate, counted from when the bytes before were.
    mutating func due(
        after count: Int, at bytesPerSecond: UInt64, now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant {
        // What was not used in a pause is not made up for.
        let start = max(free ?? now, now)
        let due = start + .nanoseconds(Int64(Double(count) / Double(bytesPerSecond) * 1e9))
        free = due
        return due
    }
}
