package import CrashModel
import GRDB
import Synchronization

extension TaskStore {
    /// Writes down what became of a finished task, for statistics and forecasts, or writes it anew when late events have
    /// brought more facts. A task that its client has not been told of is none yet: ingest's failure of an upload that is
    /// refused at the door often comes before its reply.
    static func keepOutcome(of id: TaskID, _ db: Database) throws {
        let row = try Row.fetchOne(db, sql: "SELECT answered, outcome FROM task WHERE id = ?", arguments: [id.row])
        guard let row, row[0] == 1, let task = try fetchTask(id, db), task.state != .pending,
            let finished = task.finished
        else { return }
        let old: Int64? = row[1]
        let facts = try fetchFacts(id, db)
        let (package, version) = nameAndVersion(task.package)
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO outcome (number, created, finished, state, type, release_id, architecture, package,
                    version, error_stage, error_code)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                old, task.created, finished, task.state.rawValue, task.type, task.releaseID?.description,
                task.releaseID?.architecture.rawValue, package, version, task.failure?.stage.rawValue,
                task.failure?.code.description,
            ])
        let outcome = old ?? db.lastInsertedRowID
        try db.execute(sql: "UPDATE task SET outcome = ? WHERE id = ?", arguments: [outcome, id.row])
        for timing in try fetchTimings(id, db) {
            guard let microseconds = timing.microseconds else { continue }
            try db.execute(
                sql: "INSERT OR REPLACE INTO outcome_stage VALUES (?, ?, ?)",
                arguments: [outcome, timing.stage.rawValue, microseconds])
        }
        for (name, version) in TaskFact.pairs(in: facts[TaskFact.packages]) {
            try db.execute(
                sql: "INSERT OR IGNORE INTO outcome_package VALUES (?, ?, ?)", arguments: [outcome, name, version])
        }
        for (buildID, file) in TaskFact.pairs(in: facts[TaskFact.missingBuildIDs]) {
            try db.execute(
                sql: "INSERT OR IGNORE INTO outcome_build_id VALUES (?, ?, ?)", arguments: [outcome, buildID, file])
        }
    }

    /// `bash` and `5.2.15-2` of `bash-5.2.15-2.amd64` or `bash-5.2.15-2`; the whole as name where it has no such parts.
    private static func nameAndVersion(_ package: String?) -> (name: String?, version: String?) {
        guard let package else { return (nil, nil) }
        let parts = package.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[parts.count - 2].contains(where: \.isNumber) else { return (package, nil) }
        var release = parts[parts.count - 1]
        if let dot = release.lastIndex(of: "."), (try? Architecture(release[release.index(after: dot)...])) != nil {
            release = release[..<dot]
        }
        return (parts.dropLast(2).joined(separator: "-"), "\(parts[parts.count - 2])-\(release)")
    }

    /// Counts an upload that found the server full.
    ///
    /// - Parameter microseconds: Now, in microseconds since the epoch.
    package func countDenial(microseconds: Int64) async throws {
        try await pool.write { db in
            try db.execute(
                sql: "INSERT INTO denial VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                arguments: [microseconds / 86_400_000_000])
        }
    }

    /// How many tasks have ended and how many uploads found the server full, ever; no number goes down.
    package func totals() async throws -> OutcomeTotals {
        try await pool.read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT count(*) FILTER (WHERE state = 'FINISHED_SUCCESS'),
                        count(*) FILTER (WHERE state = 'FINISHED_FAILURE'),
                        (SELECT coalesce(sum(count), 0) FROM denial)
                    FROM outcome
                    """)
            return OutcomeTotals(success: row?[0] ?? 0, failure: row?[1] ?? 0, denied: row?[2] ?? 0)
        }
    }

    /// How long the stages took for the last tasks of a release that ended well.
    ///
    /// - Parameter releaseID: The release; nil for all of them.
    package func history(of releaseID: ReleaseID?) async throws -> StageHistory {
        let key = releaseID?.description ?? ""
        if let known = histories.withLock({ $0[key] }) { return known }
        let history = try await pool.read { db in
            let condition = releaseID == nil ? "" : "AND release_id = :release"
            let arguments: StatementArguments = releaseID.map { ["release": $0.description] } ?? [:]
            let rows = try Row.fetchAll(
                db,
                sql: """
                    WITH latest AS (
                        SELECT number FROM outcome WHERE state = 'FINISHED_SUCCESS' \(condition)
                        ORDER BY finished DESC LIMIT \(StageHistory.maximumTasks))
                    SELECT outcome, stage, microseconds FROM outcome_stage
                    WHERE outcome IN (SELECT number FROM latest) ORDER BY microseconds
                    """, arguments: arguments)
            var all: [Stage: [Int64]] = [:]
            var outcomes: Set<Int64> = []
            for row in rows {
                outcomes.insert(row[0])
                if let stage = Stage(rawValue: row[1]) { all[stage, default: []].append(row[2]) }
            }
            return StageHistory(
                releaseID: releaseID, tasks: outcomes.count, medians: all.mapValues { $0[$0.count / 2] })
        }
        histories.withLock { $0[key] = history }
        return history
    }
}

/// What has been counted since the database was made, also of tasks that are gone.
package struct OutcomeTotals: Sendable, Equatable {
    package let success: Int
    package let failure: Int
    /// Uploads that found the server full.
    package let denied: Int

    package init(success: Int, failure: Int, denied: Int) {
        self.success = success
        self.failure = failure
        self.denied = denied
    }
}

/// How long the stages took for the last tasks of a release.
package struct StageHistory: Sendable, Equatable {
    /// nil for all releases together.
    package let releaseID: ReleaseID?
    /// How many tasks there were to go by, at most ``maximumTasks``.
    package let tasks: Int
    /// The median of each stage's work, in microseconds; a stage that no task went through is left out.
    package let medians: [Stage: Int64]

    static let maximumTasks = 50

    package init(releaseID: ReleaseID?, tasks: Int, medians: [Stage: Int64]) {
        self.releaseID = releaseID
        self.tasks = tasks
        self.medians = medians
    }
}
