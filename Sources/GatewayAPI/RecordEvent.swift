package import CrashModel
import FoundationEssentials
package import Logging
package import TaskStorage

/// Puts an event of a stage into the database; what the gateway's consumer of `retrace.events` calls for each.
///
/// - Returns: What it changed. `unknownTask` is no error: the task was refused at the door, and ingest says so again.
/// - Throws: `DatabaseError`; the event should then be put back into the queue.
@discardableResult
package func recordEvent(
    _ event: TaskEvent, store: TaskStore, active: ActiveTasks, logger: Logger
) async throws -> EventOutcome {
    let outcome = try await store.apply(event)
    var facts: Logger.Metadata = ["stage": "\(event.stage.rawValue)", "kind": "\(event.kind.rawValue)"]
    if let task = event.task { facts["task"] = "\(task)" }
    if let releaseID = event.releaseID { facts["release"] = "\(releaseID)" }
    switch outcome {
    case .finished(let state):
        if let task = event.task { active.finished(task) }
        if let error = event.error { facts["code"] = "\(error.code)" }
        logger.info("task ended: \(state.rawValue)", metadata: facts)
    case .unknownTask:
        logger.notice("event of a task that is not on record, ignored", metadata: facts)
    case .recorded, .unchanged:
        logger.debug("event \(outcome == .recorded ? "recorded" : "known already")", metadata: facts)
    }
    return outcome
}

/// Microseconds of a clock that never goes back, from when it was first asked.
@Sendable package func uptimeMicroseconds() -> Int64 {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
}

private let start = ContinuousClock.now

/// The time of day in microseconds since the epoch of Unix.
@Sendable package func wallClockMicroseconds() -> Int64 {
    Int64(Date().timeIntervalSince1970 * 1_000_000)
}
