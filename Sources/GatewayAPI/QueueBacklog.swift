import Synchronization

/// How many jobs wait in the broker's queues, as last counted; whoever counts them sets it.
package final class QueueBacklog: Sendable {
    private let limit: Int
    private let waiting = Mutex(0)

    /// - Parameter limit: How many may wait before uploads are refused.
    package init(limit: Int = .max) { self.limit = limit }

    /// The jobs that wait for a worker, in all queues together; 0 while nobody can count them.
    package var jobs: Int {
        get { waiting.withLock { $0 } }
        set { waiting.withLock { $0 = newValue } }
    }

    var isFull: Bool { jobs >= limit }
}

extension GatewayDependencies {
    /// Uploads and tasks in work, for `/settings`: all that may be while the queues are full, so that ABRT's client, which
    /// compares the two before it packs anything, does not come for a refusal.
    var runningTasks: Int { backlog.isFull ? max(active.count, limits.maxParallelTasks) : active.count }
}
