import Synchronization

/// Deliveries between a connection's thread, which puts them in, and the tasks that take them out.
final class DeliveryBuffer: Sendable {
    private let state = Mutex(State())

    private struct State {
        var waiting: [Delivery] = []
        var takers: [(id: UInt64, continuation: CheckedContinuation<Outcome, Never>)] = []
        var nextID: UInt64 = 0
        var end: Outcome?
    }

    enum Outcome: Sendable {
        case delivery(Delivery)
        case cancelled
        case timedOut
        case ended(MessageQueueError?)
    }

    /// - Returns: Whether it was taken; not after ``end(_:)``.
    func push(_ delivery: Delivery) -> Bool {
        let taker: CheckedContinuation<Outcome, Never>?
        let isTaken: Bool
        (taker, isTaken) = state.withLock { state in
            guard state.end == nil else { return (nil, false) }
            guard state.takers.isEmpty else { return (state.takers.removeFirst().continuation, true) }
            state.waiting.append(delivery)
            return (nil, true)
        }
        taker?.resume(returning: .delivery(delivery))
        return isTaken
    }

    /// Wakes everybody who waits, now and later, with the reason.
    ///
    /// - Returns: The deliveries that nobody took.
    func end(_ reason: MessageQueueError? = nil) -> [Delivery] {
        let (takers, left) = state.withLock { state in
            if state.end == nil { state.end = .ended(reason) }
            defer { (state.takers, state.waiting) = ([], []) }
            return (state.takers, state.waiting)
        }
        for taker in takers { taker.continuation.resume(returning: .ended(reason)) }
        return left
    }

    /// Takes a delivery, or waits for one.
    ///
    /// - Parameter arm: Is handed what ends the wait with `timedOut`, to be called when it has lasted long enough.
    func next(arm: (@escaping @Sendable () -> Void) -> Void = { _ in }) async -> Outcome {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now: Outcome? = state.withLock { state in
                    if Task.isCancelled { return .cancelled }
                    if !state.waiting.isEmpty { return .delivery(state.waiting.removeFirst()) }
                    if let end = state.end { return end }
                    state.takers.append((id, continuation))
                    return nil
                }
                if let now { continuation.resume(returning: now) } else { arm { self.wake(id, with: .timedOut) } }
            }
        } onCancel: {
            wake(id, with: .cancelled)
        }
    }

    private func wake(_ id: UInt64, with outcome: Outcome) {
        let taker = state.withLock { state in
            state.takers.firstIndex { $0.id == id }.map { state.takers.remove(at: $0).continuation }
        }
        taker?.resume(returning: outcome)
    }
}
