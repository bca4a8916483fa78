import CrashModel
import Synchronization

/// Who wants to know that a task has changed.
final class ChangeListeners: Sendable {
    private struct State {
        var next = 0
        var listeners: [TaskID: [Int: AsyncStream<Void>.Continuation]] = [:]
    }

    private let state = Mutex(State())

    func changes(of task: TaskID) -> AsyncStream<Void> {
        let (changes, listener) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.next += 1
            state.listeners[task, default: [:]][state.next] = listener
            return state.next
        }
        listener.onTermination = { [weak self] _ in self?.leave(task, number) }
        return changes
    }

    func signal(_ task: TaskID) {
        let listeners = state.withLock { $0.listeners[task].map { Array($0.values) } ?? [] }
        for listener in listeners { listener.yield() }
    }

    private func leave(_ task: TaskID, _ number: Int) {
        state.withLock { state in
            state.listeners[task]?[number] = nil
            if state.listeners[task]?.isEmpty == true { state.listeners[task] = nil }
        }
    }
}
