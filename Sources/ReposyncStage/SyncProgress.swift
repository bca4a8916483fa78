import CrashModel
import Glibc
import Synchronization

/// Tells how far a synchronisation is, at most twice a second.
final class SyncProgress: Sendable {
    private let releaseID: ReleaseID
    private let send: @Sendable (TaskEvent) async -> Void
    private let state = Mutex(State())

    private struct State {
        var lastSent: Int64 = 0
        var fraction = 0.0
    }

    init(_ releaseID: ReleaseID, send: @escaping @Sendable (TaskEvent) async -> Void) {
        self.releaseID = releaseID
        self.send = send
    }

    /// - Parameters:
    ///   - message: One sentence for the person who waits.
    ///   - fraction: From 0 to 1; it never goes back.
    ///   - always: For the start of a part of the work, which is told whenever it is.
    func report(_ message: String, _ fraction: Double, always: Bool = false) async {
        let now = microsecondsNow()
        let event = state.withLock { state -> TaskEvent? in
            state.fraction = max(state.fraction, min(fraction, 1))
            guard always || now - state.lastSent >= 500_000 else { return nil }
            state.lastSent = now
            return TaskEvent(
                task: nil, releaseID: releaseID, stage: .reposync, kind: .progress, microseconds: now,
                message: message, fraction: state.fraction)
        }
        if let event { await send(event) }
    }
}

/// Microseconds since the epoch of Unix.
func microsecondsNow() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}
