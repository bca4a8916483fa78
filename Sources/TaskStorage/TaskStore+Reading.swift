package import CrashModel
import GRDB

extension TaskStore {
    /// Every event that is kept of a task, by time.
    package func events(of id: TaskID) async throws -> [RecordedEvent] {
        try await pool.read { db in
            try Self.fetchEvents(
                "WHERE task = ? ORDER BY at, (SELECT rank FROM stage WHERE name = event.stage), kind <> 'started'",
                [id.row], db)
        }
    }

    static func fetchSnapshot(_ id: TaskID, _ number: Int, _ db: Database) throws -> TaskSnapshot? {
        guard let task = try fetchTask(id, db) else { return nil }
        let ahead = task.state == .pending ? try countPending(before: task, db) : 0
        let last = try Int.fetchOne(
            db, sql: "SELECT coalesce(max(number), 0) FROM event WHERE task = ?", arguments: [id.row])
        let events =
            number == .max
            ? [] : try fetchEvents("WHERE task = ? AND number > ? ORDER BY number", [id.row, number], db)
        return TaskSnapshot(
            task: task, ahead: ahead, timings: try fetchTimings(id, db), facts: try fetchFacts(id, db),
            lastEvent: last ?? 0, events: events)
    }

    /// What the stages learnt of a task, the latest stage's word for each name: `modules`, `complete` and so on.
    package func facts(of id: TaskID) async throws -> [String: String] {
        try await pool.read { db in try Self.fetchFacts(id, db) }
    }

    /// When each stage began and ended its work on a task, in the order of the stages.
    package func timings(of id: TaskID) async throws -> [StageTiming] {
        try await pool.read { db in try Self.fetchTimings(id, db) }
    }

    private static func fetchEvents(
        _ condition: String, _ arguments: StatementArguments, _ db: Database
    ) throws -> [RecordedEvent] {
        let rows = try Row.fetchAll(
            db, sql: "SELECT stage, kind, attempt, at, message, fraction, number FROM event \(condition)",
            arguments: arguments)
        return rows.compactMap { row in
            guard let stage = Stage(rawValue: row[0]), let kind = TaskEvent.Kind(rawValue: row[1]) else { return nil }
            return RecordedEvent(
                stage: stage, kind: kind, attempt: row[2], microseconds: row[3], message: row[4], fraction: row[5],
                number: row[6])
        }
    }

    static func fetchFacts(_ id: TaskID, _ db: Database) throws -> [String: String] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT fact.name, value FROM fact JOIN stage ON stage.name = fact.stage WHERE task = ? ORDER BY rank
                """, arguments: [id.row])
        return rows.reduce(into: [:]) { facts, row in facts[row[0]] = row[1] as String }
    }

    static func fetchTimings(_ id: TaskID, _ db: Database) throws -> [StageTiming] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT stage, min(at) FILTER (WHERE kind = 'started'), min(at) FILTER (WHERE kind = 'succeeded')
                FROM event JOIN stage ON stage.name = event.stage WHERE task = ? GROUP BY stage ORDER BY rank
                """, arguments: [id.row])
        return rows.compactMap { row in
            guard let stage = Stage(rawValue: row[0]), let started = row[1] as Int64? else { return nil }
            return StageTiming(stage: stage, started: started, succeeded: row[2])
        }
    }

    /// The last word of every synchronisation, by release id.
    package func syncs() async throws -> [SyncStatus] {
        try await pool.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT release_id, kind, at, message, fraction, succeeded, error_code, error_reason
                    FROM sync ORDER BY release_id
                    """)
            return rows.compactMap { row in
                guard let releaseID = try? ReleaseID(row[0] as String), let kind = TaskEvent.Kind(rawValue: row[1])
                else { return nil }
                return SyncStatus(
                    releaseID: releaseID, kind: kind, microseconds: row[2], message: row[3], fraction: row[4],
                    succeeded: row[5], errorCode: row[6], errorReason: row[7])
            }
        }
    }

    static func fetchTask(_ id: TaskID, _ db: Database) throws -> RetraceTask? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT type, state, created, finished, stage, stage_kind, attempt, message, fraction, release_id, package,
                    signal, error_stage, error_code, error_reason, error_advice, error_exit_status, error_output
                FROM task WHERE id = ?
                """, arguments: [id.row])
        guard let row, let state = TaskState(rawValue: row["state"]) else { return nil }
        return RetraceTask(
            id: id, type: row["type"], state: state, created: row["created"], finished: row["finished"],
            stage: (row["stage"] as String?).flatMap(Stage.init(rawValue:)),
            stageKind: (row["stage_kind"] as String?).flatMap(TaskEvent.Kind.init(rawValue:)),
            attempt: row["attempt"], message: row["message"], fraction: row["fraction"],
            releaseID: (row["release_id"] as String?).flatMap { try? ReleaseID($0) }, package: row["package"],
            signal: row["signal"], failure: failure(in: row))
    }

    private static func failure(in row: Row) -> StageError? {
        guard let stage = (row["error_stage"] as String?).flatMap(Stage.init(rawValue:)),
            let code = row["error_code"] as String?, let reason = row["error_reason"] as String?
        else { return nil }
        return StageError(
            stage, StageError.Code(code), reason, advice: row["error_advice"], exitStatus: row["error_exit_status"],
            toolOutput: row["error_output"])
    }
}
