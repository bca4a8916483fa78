import Distributions
import Synchronization

/// Keeps all downloads of a repository together below a number of bytes a second.
actor RateLimit {
    private let bytesPerSecond: UInt64
    private let clock: RateClock
    private var pace = Pace()

    init(bytesPerSecond: UInt64, clock: RateClock) {
        self.bytesPerSecond = max(bytesPerSecond, 1)
        self.clock = clock
    }

    /// Waits as long as these bytes, which have come, should have taken.
    func took(_ count: Int) async throws {
        let now = clock.now()
        let due = pace.due(after: count, at: bytesPerSecond, now: now)
        if due > now { try await clock.sleep(due) }
    }
}

/// The rate limits of all repositories that one session downloads from.
final class RateLimits: Sendable {
    private let clock: RateClock
    private let limits = Mutex<[Repository: RateLimit]>([:])

    init(clock: RateClock = RateClock()) { self.clock = clock }

    /// The one limit of a repository; nil where its plugin sets none.
    func limit(of repository: Repository) -> RateLimit? {
        guard let bytesPerSecond = repository.bytesPerSecond else { return nil }
        return limits.withLock { limits in
            if let limit = limits[repository] { return limit }
            let limit = RateLimit(bytesPerSecond: bytesPerSecond, clock: clock)
            limits[repository] = limit
            return limit
        }
    }
}

/// What time it is, and how one waits.
struct RateClock: Sendable {
    var now: @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    var sleep: @Sendable (ContinuousClock.Instant) async throws -> Void = {
        try await ContinuousClock().sleep(until: $0)
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
