import CrashModel
import Synchronization

/// Counts who listens to which task.
final class TaskListeners: Sendable {
    private let listeners = Mutex<[TaskID: Int]>([:])

    /// Takes a place; false when all are taken. Every place that was taken is given back by ``leave(_:)``.
    func join(_ task: TaskID, _ limits: EventStreamLimits) -> Bool {
        listeners.withLock { listeners in
            guard listeners.values.reduce(0, +) < limits.maximumListeners,
                listeners[task, default: 0] < limits.maximumListenersOfATask
            else { return false }
            listeners[task, default: 0] += 1
            return true
        }
    }

    func leave(_ task: TaskID) {
        listeners.withLock { listeners in
            let rest = (listeners[task] ?? 1) - 1
            listeners[task] = rest > 0 ? rest : nil
        }
    }

    var count: Int { listeners.withLock { $0.values.reduce(0, +) } }
}
