import Synchronization

/// Looks at what a child prints while it still runs, and moves its deadline by what it sees: for a child that does one
/// thing after another, each of which has a time of its own.
package final class ChildWatch: Sendable {
    private let look: @Sendable (UnsafeRawBufferPointer) -> Duration?
    private let deadline: Mutex<ContinuousClock.Instant?>
    private let first: Duration

    /// - Parameters:
    ///   - first: How long the child may run if nothing that it prints moves that.
    ///   - look: Is given each piece of standard output, in order, and must be quick; a piece may end anywhere. It answers
    ///     how long the child may run from now on, nil to leave that as it was.
    package init(first: Duration, look: @escaping @Sendable (UnsafeRawBufferPointer) -> Duration?) {
        self.first = first
        self.look = look
        deadline = Mutex(nil)
    }

    /// To be called when the child is started.
    func start(at instant: ContinuousClock.Instant) {
        deadline.withLock { $0 = instant + first }
    }

    func see(_ bytes: UnsafeRawBufferPointer) {
        guard let more = look(bytes) else { return }
        deadline.withLock { $0 = .now + more }
    }

    /// When the child must be done, as things stand.
    var end: ContinuousClock.Instant? { deadline.withLock { $0 } }
}

/// Comes back when `latest` has come, or the deadline of `watch`, whichever is first; or at once when cancelled.
func sleep(until latest: ContinuousClock.Instant, _ watch: ChildWatch?) async {
    while !Task.isCancelled {
        let end = min(latest, watch?.end ?? latest)
        if end <= .now { return }
        // A cancelled sleep means that the child ended first.
        try? await ContinuousClock().sleep(until: end)
    }
}
