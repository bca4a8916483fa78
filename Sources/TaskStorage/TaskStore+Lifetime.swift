package import CrashModel
import GRDB

extension TaskStore {
    /// The tasks that ended in a state before a moment, the oldest first.
    ///
    /// - Parameters:
    ///   - microseconds: The moment, in microseconds since the epoch.
    ///   - limit: How many at most.
    ///   - skipping: How many of the oldest to leave out.
    package func finishedTasks(
        _ state: TaskState, before microseconds: Int64, limit: Int, skipping: Int = 0
    ) async throws -> [TaskID] {
        try await pool.read { db in
            try Int64.fetchAll(
                db, sql: "SELECT id FROM task WHERE state = ? AND finished < ? ORDER BY finished LIMIT ? OFFSET ?",
                arguments: [state.rawValue, microseconds, limit, skipping]
            ).compactMap { try? TaskID(String($0)) }
        }
    }

    /// The unfinished tasks of which nothing was heard since a moment.
    ///
    /// - Parameter microseconds: The moment, in microseconds since the epoch.
    package func silentTasks(since microseconds: Int64, limit: Int) async throws -> [RetraceTask] {
        try await pool.read { db in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT id FROM task WHERE state = 'PENDING' AND created < ?1
                        AND NOT EXISTS (SELECT 1 FROM event WHERE task = task.id AND at >= ?1)
                    ORDER BY created LIMIT ?2
                    """, arguments: [microseconds, limit]
            ).compactMap { try TaskID(String($0)) }.compactMap { try Self.fetchTask($0, db) }
        }
    }
}
