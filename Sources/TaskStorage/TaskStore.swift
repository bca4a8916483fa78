package import CrashModel
import FoundationEssentials
import GRDB
import Synchronization
package import SystemPackage

/// The gateway's database: tasks, their events and the state of synchronisations.
///
/// SQLite in WAL mode. One process writes it, the gateway, and through ``apply(_:)`` alone; no other service opens the
/// file. All methods wait on GRDB's own threads, never on one of Swift's cooperative pool.
package final class TaskStore: Sendable {
    let pool: DatabasePool
    private let listeners = ChangeListeners()
    private let recent = RecentTasks()
    /// How long the stages took, by release; emptied whenever a task ends.
    let histories = Mutex<[String: StageHistory]>([:])

    /// Opens the database, makes it where there is none, and brings its schema up to date. Blocking; call it at start-up.
    ///
    /// - Parameter path: The database file; its directory must exist.
    /// - Throws: `Errno` when the file cannot be opened, `DatabaseError` when it is no database.
    package init(at path: FilePath) throws {
        // SQLite gives its -wal and -shm the mode of the file, so this keeps all three from other users.
        try SystemPackage.FileDescriptor.open(
            path, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite]
        ).close()
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.label = "tasks"
        pool = try DatabasePool(path: path.string, configuration: configuration)
        try Self.migrations.migrate(pool)
    }

    /// Adds a task in state `PENDING`.
    ///
    /// - Parameters:
    ///   - id: An id that ``contains(_:)`` denies.
    ///   - type: The number in `X-Task-Type`, 0 to 4.
    ///   - password: What is kept of the task's password.
    ///   - microseconds: Now, in microseconds since the epoch.
    /// - Throws: `DatabaseError` with `SQLITE_CONSTRAINT` when the id is taken or the type is out of range.
    package func insert(
        _ id: TaskID, type: Int, password: PasswordHash, microseconds: Int64
    ) async throws {
        try await pool.write { db in
            try db.execute(
                sql: """
                    INSERT INTO task (id, type, password_salt, password_hash, state, created)
                    VALUES (?, ?, ?, ?, 'PENDING', ?)
                    """,
                arguments: [id.row, type, Data(password.salt), Data(password.digest), microseconds])
        }
        recent.forget(id, changesOrder: true)
    }

    /// Notes that the client is being told the id and password. A task that never got this far is known to nobody, and no
    /// statistics either; one that has ended before counts from now on.
    package func markAnswered(_ id: TaskID) async throws {
        try await pool.write { db in
            try db.execute(sql: "UPDATE task SET answered = 1 WHERE id = ?", arguments: [id.row])
            try Self.keepOutcome(of: id, db)
        }
        histories.withLock { $0.removeAll() }
    }

    /// The tasks whose clients were never told of them, because the gateway stopped before it could answer.
    package func unansweredTasks() async throws -> [TaskID] {
        try await pool.read { db in
            try Int64.fetchAll(db, sql: "SELECT id FROM task WHERE answered = 0").compactMap { try? TaskID(String($0)) }
        }
    }

    /// Removes a task with its events; nothing to do when there is none.
    package func remove(_ id: TaskID) async throws {
        try await pool.write { db in
            try db.execute(sql: "DELETE FROM task WHERE id = ?", arguments: [id.row])
        }
        recent.forget(id, changesOrder: true)
        listeners.signal(id)
    }

    /// Yields whenever an event of the task has been recorded, or the task has been removed; changes that nobody has
    /// looked at yet count as one, so that a slow listener costs nothing.
    package func changes(of id: TaskID) -> AsyncStream<Void> { listeners.changes(of: id) }

    func changed(_ task: TaskID, _ outcome: EventOutcome) {
        if case .finished = outcome {
            histories.withLock { $0.removeAll() }
            recent.forget(task, changesOrder: true)
        } else {
            recent.forget(task, changesOrder: false)
        }
        if outcome != .unchanged { listeners.signal(task) }
    }

    /// Whether there is, or was and is still on record, a task of this id.
    package func contains(_ id: TaskID) async throws -> Bool {
        try await pool.read { db in
            try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM task WHERE id = ?)", arguments: [id.row]) ?? false
        }
    }

    /// The task, or nil when there is none.
    package func task(_ id: TaskID) async throws -> RetraceTask? {
        try await pool.read { db in try Self.fetchTask(id, db) }
    }

    /// Whether `password` opens the task, and the task if it does.
    ///
    /// - Parameter password: What the client sent; nil when it sent none.
    package func authenticate(_ id: TaskID, password: String?) async throws -> Authentication {
        guard let known = try await known(id) else {
            // The same work as for a task, so that the time taken does not tell which ids there are.
            if let password { _ = PasswordHash.ofNobody.matches(password) }
            return .unknownTask
        }
        guard let password, known.password.matches(password) else { return .wrongPassword }
        return .granted(known.snapshot.task)
    }

    /// All that there is to say of a task at one moment; nil when there is none.
    ///
    /// - Parameter number: Of the events, only those that became known after this one are given.
    package func snapshot(of id: TaskID, eventsAfter number: Int = .max) async throws -> TaskSnapshot? {
        guard number == .max else { return try await pool.read { db in try Self.fetchSnapshot(id, number, db) } }
        return try await known(id)?.snapshot
    }

    /// A task with its password, from memory where nothing has changed since it was read.
    private func known(_ id: TaskID) async throws -> (password: ReadyPasswordHash, snapshot: TaskSnapshot)? {
        if let entry = recent.entry(id) { return (entry.password, entry.snapshot) }
        let ticket = recent.ticket()
        let found = try await pool.read { db -> (ReadyPasswordHash, TaskSnapshot)? in
            let row = try Row.fetchOne(
                db, sql: "SELECT password_salt, password_hash FROM task WHERE id = ?", arguments: [id.row])
            guard let row, let snapshot = try Self.fetchSnapshot(id, .max, db) else { return nil }
            let hash = PasswordHash(salt: [UInt8](row[0] as Data), digest: [UInt8](row[1] as Data))
            return (ReadyPasswordHash(hash), snapshot)
        }
        return found.map { password, snapshot in
            (password, recent.keep(snapshot, password: password, since: ticket))
        }
    }

    /// The password of a task and the version of what is known of it, if that is at hand; never waits.
    package func remembered(_ id: TaskID) -> (password: ReadyPasswordHash, version: UInt64)? {
        recent.entry(id).map { ($0.password, $0.snapshot.version) }
    }

    /// The ids of all tasks that are not finished.
    package func pendingTasks() async throws -> [TaskID] {
        try await pool.read { db in
            try Int64.fetchAll(db, sql: "SELECT id FROM task WHERE state = 'PENDING' ORDER BY created")
                .compactMap { try? TaskID(String($0)) }
        }
    }

    /// How many unfinished tasks were created before this one.
    package func pendingTasks(before task: RetraceTask) async throws -> Int {
        try await pool.read { db in try Self.countPending(before: task, db) }
    }

    static func countPending(before task: RetraceTask, _ db: Database) throws -> Int {
        try Int.fetchOne(
            db, sql: "SELECT count(*) FROM task WHERE state = 'PENDING' AND (created, id) < (?, ?)",
            arguments: [task.created, task.id.row]) ?? 0
    }

    /// How many tasks there are in each state; a state without tasks is left out.
    package func countByState() async throws -> [TaskState: Int] {
        try await pool.read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT state, count(*) FROM task GROUP BY state")
            return rows.reduce(into: [:]) { counts, row in
                if let state = TaskState(rawValue: row[0]) { counts[state] = row[1] }
            }
        }
    }
}

/// The answer to a password.
package enum Authentication: Sendable, Equatable {
    case granted(RetraceTask)
    case wrongPassword
    case unknownTask
}

extension TaskID {
    /// The id as SQLite's integer key. A `TaskID` has at most 18 digits, which always fit.
    var row: Int64 { Int64(description) ?? 0 }
}
