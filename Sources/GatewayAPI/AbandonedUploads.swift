package import Logging
package import NIOPosix
package import SystemPackage
package import TaskStorage

/// Removes what uploads left behind that were under way when the gateway last stopped: nobody knows their ids.
///
/// Call it at start-up, before requests are taken. Directories without a row are removed only when they hold nothing but
/// an upload, so that a lost database does not cost the results too.
///
/// - Returns: How many uploads were removed.
/// - Throws: `DatabaseError`, or `Errno` when the spool cannot be read or cleaned.
@discardableResult
package func removeAbandonedUploads(
    store: TaskStore, spool: FilePath, threadPool: NIOThreadPool = .singleton, logger: Logger
) async throws -> Int {
    var removed = 0
    for task in try await store.unansweredTasks() {
        let directory = TaskDirectory(task, in: spool)
        try await threadPool.runToEnd { try directory.remove() }
        try await store.remove(task)
        removed += 1
    }
    for task in try await threadPool.runToEnd({ try TaskDirectory.tasks(in: spool) }) {
        guard try await !store.contains(task) else { continue }
        let directory = TaskDirectory(task, in: spool)
        guard try await threadPool.runToEnd({ try directory.holdsAtMostAnUpload() }) else {
            logger.warning("a task directory without a record is left alone", metadata: ["task": "\(task)"])
            continue
        }
        try await threadPool.runToEnd { try directory.remove() }
        removed += 1
    }
    if removed > 0 { logger.notice("abandoned uploads removed", metadata: ["count": "\(removed)"]) }
    return removed
}
