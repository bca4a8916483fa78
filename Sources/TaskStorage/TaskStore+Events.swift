package import CrashModel
import GRDB

extension TaskStore {
    /// Records an event and moves the task or the synchronisation on; the only way in which they change.
    ///
    /// Events arrive twice, late and out of order, so the state is never stepped: the event is put into its place and the
    /// task's state is read off from all that are known. A finished task stays as it is. `failed` ends a task, unless the
    /// same stage has succeeded (then the next stage has the job, and only a redelivery failed); `retrace.succeeded` ends
    /// it well.
    ///
    /// - Throws: `DatabaseError`; nothing is changed then, and the event may be applied again.
    package func apply(_ event: TaskEvent) async throws -> EventOutcome {
        let outcome = try await pool.write { db in
            guard let task = event.task else { return try Self.applySync(event, db) }
            guard let before = try Self.fetchTask(task, db) else { return EventOutcome.unknownTask }
            let isNew = try Self.record(event, of: task, db)
            try Self.showFacts(event, task, db)
            guard before.state == .pending else {
                if isNew { try Self.keepOutcome(of: task, db) }
                return isNew ? .recorded : .unchanged
            }
            try Self.moveOn(task, db)
            guard let end = try Self.end(of: task, by: event, db) else { return isNew ? .recorded : .unchanged }
            try Self.keepOutcome(of: task, db)
            return .finished(end)
        }
        if let task = event.task { changed(task, outcome) }
        return outcome
    }

    /// Ends the task if the event does.
    private static func end(of task: TaskID, by event: TaskEvent, _ db: Database) throws -> TaskState? {
        if event.stage == .retrace, event.kind == .succeeded {
            try finish(task, .success, error: nil, event, db)
            return .success
        }
        guard event.kind == .failed, try !hasSucceeded(event.stage, task, db) else { return nil }
        let error = event.error ?? StageError(event.stage, .internalError, event.message)
        try finish(task, .failure, error: error, event, db)
        return .failure
    }

    /// Puts the event and its facts into their rows; the first of its kind counts, of progress the latest.
    private static func record(_ event: TaskEvent, of task: TaskID, _ db: Database) throws -> Bool {
        try db.execute(
            sql: """
                INSERT INTO event (task, stage, kind, attempt, at, message, fraction, number)
                VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM event WHERE task = ?))
                ON CONFLICT (task, stage, kind, attempt) DO UPDATE SET at = excluded.at, message = excluded.message,
                    fraction = excluded.fraction, number = excluded.number
                    WHERE kind = 'progress' AND excluded.at > at
                """,
            arguments: [
                task.row, event.stage.rawValue, event.kind.rawValue, max(1, event.attempt), event.microseconds,
                event.message, event.boundedFraction, task.row,
            ])
        let isNew = db.changesCount > 0
        for (name, value) in event.facts where (1...64).contains(name.count) {
            try db.execute(
                sql: """
                    INSERT INTO fact (task, stage, name, value, at) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET value = excluded.value, at = excluded.at WHERE excluded.at > at
                    """,
                arguments: [
                    task.row, event.stage.rawValue, name,
                    String(decoding: value.utf8.prefix(TaskFact.maximumBytes), as: UTF8.self), event.microseconds,
                ])
        }
        return isNew
    }

    /// Sets what the row says of the task's progress to the furthest event known: by stage, then whether the stage is
    /// done, then by attempt, then by time.
    private static func moveOn(_ task: TaskID, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE task SET (stage, stage_kind, attempt, message, fraction) = (
                    SELECT event.stage, kind, event.attempt, event.message, event.fraction
                    FROM event JOIN stage ON stage.name = event.stage WHERE event.task = task.id
                    ORDER BY rank DESC, kind = 'succeeded' DESC, event.attempt DESC,
                        kind = 'started', at DESC LIMIT 1)
                WHERE id = ?
                """, arguments: [task.row])
    }

    /// Copies into the row what the furthest stage says of the crash. A finished task takes these too: they are no state,
    /// and its events may come in any order.
    private static func showFacts(_ event: TaskEvent, _ task: TaskID, _ db: Database) throws {
        for name in ["package", "signal"] {
            try db.execute(
                sql: """
                    UPDATE task SET \(name) = (
                        SELECT value FROM fact JOIN stage ON stage.name = fact.stage
                        WHERE fact.task = task.id AND fact.name = ? ORDER BY rank DESC LIMIT 1)
                    WHERE id = ?
                    """, arguments: [name, task.row])
        }
        if let releaseID = event.releaseID {
            try db.execute(
                sql: "UPDATE task SET release_id = ? WHERE id = ?", arguments: [releaseID.description, task.row])
        }
    }

    private static func hasSucceeded(_ stage: Stage, _ task: TaskID, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: "SELECT EXISTS (SELECT 1 FROM event WHERE task = ? AND stage = ? AND kind = 'succeeded')",
            arguments: [task.row, stage.rawValue]) ?? false
    }

    private static func finish(
        _ task: TaskID, _ state: TaskState, error: StageError?, _ event: TaskEvent, _ db: Database
    ) throws {
        try db.execute(
            sql: """
                UPDATE task SET state = ?, finished = ?, error_stage = ?, error_code = ?, error_reason = ?,
                    error_advice = ?, error_exit_status = ?, error_output = ?
                WHERE id = ?
                """,
            arguments: [
                state.rawValue, event.microseconds, error?.stage.rawValue, error?.code.description, error?.reason,
                error?.advice, error?.exitStatus, error?.toolOutput, task.row,
            ])
    }

    /// Keeps the newest event of a synchronisation, and when one last ended well.
    private static func applySync(_ event: TaskEvent, _ db: Database) throws -> EventOutcome {
        guard let releaseID = event.releaseID else { return .unknownTask }
        try db.execute(
            sql: """
                INSERT INTO sync (release_id, kind, at, message, fraction, succeeded, error_code, error_reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET kind = excluded.kind, at = excluded.at, message = excluded.message,
                    fraction = excluded.fraction, succeeded = coalesce(excluded.succeeded, succeeded),
                    error_code = excluded.error_code, error_reason = excluded.error_reason
                    WHERE excluded.at > at
                """,
            arguments: [
                releaseID.description, event.kind.rawValue, event.microseconds, event.message, event.boundedFraction,
                event.kind == .succeeded ? event.microseconds : nil, event.error?.code.description,
                event.error?.reason,
            ])
        return db.changesCount > 0 ? .recorded : .unchanged
    }
}

extension TaskEvent {
    /// ``fraction`` within 0 and 1; nil for what is no number.
    fileprivate var boundedFraction: Double? { fraction.flatMap { $0.isNaN ? nil : min(1, max(0, $0)) } }
}
