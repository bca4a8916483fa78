package import CrashModel
import Logging
package import SystemPackage
import TaskStorage

/// What one round of ``removeExpiredTasks(_:lifetime:archive:)`` did.
package struct ExpiredTasks: Hashable, Sendable {
    package var removed: [TaskID] = []
    package var archived: [TaskID] = []
    package var givenUp: [TaskID] = []

    package init() {}
}

/// Removes, archives or gives up the tasks whose time has come, some hundreds a round.
///
/// What fails for one task is logged and tried again in the next round; the other tasks do not wait for it.
///
/// - Parameters:
///   - archive: The folder of archived tasks; nil where none are archived.
///   - batch: How many of a kind a round takes.
/// - Throws: `DatabaseError`.
package func removeExpiredTasks(
    _ dependencies: GatewayDependencies, lifetime: TaskLifetime, archive: FilePath?, batch: Int = 500
) async throws -> ExpiredTasks {
    let (store, now) = (dependencies.store, dependencies.now())
    func moment(_ hours: Int) -> Int64 { now - Int64(hours) * 3_600_000_000 }
    var done = ExpiredTasks()
    for task in try await store.silentTasks(since: moment(lifetime.silentHours), limit: batch) {
        try await recordEvent(
            givingUp(task, hours: lifetime.silentHours, microseconds: now), store: store, active: dependencies.active,
            logger: dependencies.logger)
        done.givenUp.append(task.id)
        await dependencies.settle("its dump could not be removed", task.id) {
            let directory = TaskDirectory(task.id, in: dependencies.spool)
            try await dependencies.onDisk { try directory.removeDump() }
        }
    }
    for (state, hours) in [(TaskState.success, lifetime.successHours), (.failure, lifetime.failureHours)] {
        if let archive, let archived = lifetime.archiveHours {
            var (packed, failed) = (0, 0)
            // Those that cannot be packed stay, and must not stand before all the others for ever.
            while packed < batch, failed < 20 * batch {
                let tasks = try await store.finishedTasks(
                    state, before: moment(archived), limit: batch, skipping: failed)
                for task in tasks {
                    let isPacked = await dependencies.settle("it could not be archived", task) {
                        let directory = TaskDirectory(task, in: dependencies.spool)
                        try await dependencies.onDisk { try pack(directory, into: archive, seconds: now / 1_000_000) }
                        try await dependencies.remove(task)
                    }
                    if isPacked { done.archived.append(task) }
                    packed += isPacked ? 1 : 0
                    failed += isPacked ? 0 : 1
                }
                if tasks.count < batch { break }
            }
            // What could not be packed is not lost: it stays until the archive takes it.
            if hours.map({ archived <= $0 }) ?? true { continue }
        }
        guard let hours else { continue }
        for task in try await store.finishedTasks(state, before: moment(hours), limit: batch) {
            let removed = await dependencies.settle("it could not be removed", task) {
                try await dependencies.remove(task)
            }
            if removed { done.removed.append(task) }
        }
    }
    do {
        let spool = dependencies.spool
        try await dependencies.onDisk { try TaskDirectory.forgetSharedDumps(in: spool) }
    } catch {
        dependencies.logger.warning("dumps of tasks that are gone could not be forgotten: \(error)")
    }
    return done
}

/// The failure of a task of which nothing was heard for too long: the stage that had it, or the one that never began.
private func givingUp(_ task: RetraceTask, hours: Int, microseconds: Int64) -> TaskEvent {
    let stages = Stage.allCases.filter { $0 != .fetch }
    let reached = task.stage ?? .ingest
    let stage = task.stageKind == .succeeded ? stages.drop { $0 != reached }.dropFirst().first ?? reached : reached
    let error = StageError(
        stage, .abandoned, "Nothing was heard of the task for \(hours) hours, so it was given up.",
        advice: "Send the crash again; if that ends the same way, tell the operator that no worker takes the stage.")
    return TaskEvent(
        task: task.id, stage: stage, kind: .failed, microseconds: microseconds, message: error.reason, error: error)
}

extension StageError.Code {
    /// The gateway waited in vain for a word of any stage.
    package static let abandoned = Self("abandoned")
}

extension GatewayDependencies {
    /// Removes a task whole: its files, its row, and its place among the active tasks. A stage that still works on it finds
    /// its directory gone and drops the job.
    ///
    /// The files go first: what a failure leaves behind is then still on record, and is tried again.
    ///
    /// - Throws: `Errno`, `DatabaseError`.
    func remove(_ task: TaskID) async throws {
        let directory = TaskDirectory(task, in: spool)
        try await onDisk { try directory.remove() }
        try await store.remove(task)
        active.finished(task)
    }

    /// Whether `work` was done; its error goes to the log.
    @discardableResult
    fileprivate func settle(_ what: String, _ task: TaskID, _ work: () async throws -> Void) async -> Bool {
        do {
            try await work()
            return true
        } catch {
            logger.error("a task has had its time, but \(what): \(error)", metadata: ["task": "\(task)"])
            return false
        }
    }
}
