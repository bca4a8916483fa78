import Synchronization

/// Looks at what a child prints while it still runs, and moves its deadline by what it sees: for a child that does one
/// thing after another, each of which has a time of its own.
package final class ChildWatch: Sendable {
    private let look: @Sendable (UnsafeRawBufferPointer) -> Duration?
    private let first: Duration
    private let deadline: Mutex<ContinuousClock.Instant?>
    private let (wakes, wake) = AsyncStream<Void>.makeStream()

    /// For one child.
    ///
    /// - Parameters:
    ///   - first: How long the child may run if nothing that it prints moves that.
    ///   - look: Is given each piece of standard output, in order, and must be quick; a piece may end anywhere. It answers
    ///     how long the child may run from now on, nil to leave that as it was.
    package init(first: Duration, look: @escaping @Sendable (UnsafeRawBufferPointer) -> Duration?) {
        self.first = first
        self.look = look
        deadline = Mutex(nil)
    }

    func see(_ bytes: UnsafeRawBufferPointer) {
        guard let more = look(bytes) else { return }
        deadline.withLock { $0 = .now + more }
        wake.yield()
    }

    /// Comes back when `latest` has come, or the deadline as it was moved last, whichever is first; or at once when
    /// cancelled.
    func sleep(from start: ContinuousClock.Instant, until latest: ContinuousClock.Instant) async {
        deadline.withLock { if $0 == nil { $0 = start + first } }
        await withDiscardingTaskGroup { group in
            // What rings may have been moved meanwhile, to before or after: whoever wakes looks what holds.
            var armed: ContinuousClock.Instant?
            wake.yield()
            for await _ in wakes {
                let end = min(latest, deadline.withLock(\.self) ?? latest)
                if end <= .now { break }
                guard end != armed else { continue }
                armed = end
                group.addTask { [wake] in
                    // A cancelled sleep means that the child ended first.
                    try? await ContinuousClock().sleep(until: end)
                    wake.yield()
                }
            }
            group.cancelAll()
        }
    }
}
