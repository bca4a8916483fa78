import GRDB

extension TaskStore {
    /// The steps of the schema, in order. A step that has been released is never edited; add another.
    static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("2026-11 tasks and events") { db in
            try db.execute(sql: stageTable + taskTable + eventTable + syncTable)
        }
        migrator.registerMigration("2026-11 packages on first need") { db in try db.execute(sql: fetchStage) }
        migrator.registerMigration("2026-11 numbered events") { db in try db.execute(sql: eventNumbers) }
        migrator.registerMigration("2026-11 outcomes") { db in try db.execute(sql: outcomeTables) }
        return migrator
    }

    /// The order of the stages, for the question how far a task has come.
    private static let stageTable = """
        CREATE TABLE stage (name TEXT PRIMARY KEY, rank INTEGER NOT NULL UNIQUE) STRICT, WITHOUT ROWID;
        INSERT INTO stage VALUES ('ingest', 0), ('resolve', 1), ('build', 2), ('retrace', 3), ('reposync', 4);

        """

    /// `fetch` comes before `build`; the ranks are unique at every moment.
    private static let fetchStage = """
        UPDATE stage SET rank = rank + 100 WHERE rank >= 2;
        UPDATE stage SET rank = rank - 99 WHERE rank >= 100;
        INSERT INTO stage VALUES ('fetch', 2);
        """

    private static let taskTable = """
        CREATE TABLE task (
            id INTEGER PRIMARY KEY CHECK (id > 0),
            type INTEGER NOT NULL CHECK (type BETWEEN 0 AND 4),
            password_salt BLOB NOT NULL CHECK (length(password_salt) = 16),
            password_hash BLOB NOT NULL CHECK (length(password_hash) = 32),
            state TEXT NOT NULL CHECK (state IN ('PENDING', 'FINISHED_SUCCESS', 'FINISHED_FAILURE')),
            created INTEGER NOT NULL,
            answered INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1)),
            finished INTEGER,
            stage TEXT REFERENCES stage (name),
            stage_kind TEXT CHECK (stage_kind IN ('started', 'progress', 'succeeded', 'failed', 'retrying')),
            attempt INTEGER CHECK (attempt > 0),
            message TEXT,
            fraction REAL CHECK (fraction BETWEEN 0 AND 1),
            release_id TEXT,
            package TEXT,
            signal TEXT,
            error_stage TEXT REFERENCES stage (name),
            error_code TEXT,
            error_reason TEXT,
            error_advice TEXT,
            error_exit_status INTEGER,
            error_output TEXT,
            CHECK ((state = 'PENDING') = (finished IS NULL)),
            CHECK ((state = 'FINISHED_FAILURE') = (error_code IS NOT NULL)),
            CHECK ((error_code IS NULL) = (error_reason IS NULL)),
            CHECK ((error_code IS NULL) = (error_stage IS NULL))
        ) STRICT;
        CREATE INDEX task_by_state ON task (state, created);

        """

    /// One row for each stage, kind and attempt, so that redelivered events and floods of progress cannot grow it.
    private static let eventTable = """
        CREATE TABLE event (
            task INTEGER NOT NULL REFERENCES task (id) ON DELETE CASCADE,
            stage TEXT NOT NULL REFERENCES stage (name),
            kind TEXT NOT NULL CHECK (kind IN ('started', 'progress', 'succeeded', 'failed', 'retrying')),
            attempt INTEGER NOT NULL CHECK (attempt > 0),
            at INTEGER NOT NULL,
            message TEXT NOT NULL,
            fraction REAL CHECK (fraction BETWEEN 0 AND 1),
            PRIMARY KEY (task, stage, kind, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE fact (
            task INTEGER NOT NULL REFERENCES task (id) ON DELETE CASCADE,
            stage TEXT NOT NULL REFERENCES stage (name),
            name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
            value TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (task, stage, name)
        ) STRICT, WITHOUT ROWID;

        """

    private static let syncTable = """
        CREATE TABLE sync (
            release_id TEXT PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('started', 'progress', 'succeeded', 'failed', 'retrying')),
            at INTEGER NOT NULL,
            message TEXT NOT NULL,
            fraction REAL CHECK (fraction BETWEEN 0 AND 1),
            succeeded INTEGER,
            error_code TEXT,
            error_reason TEXT,
            CHECK ((error_code IS NULL) = (error_reason IS NULL))
        ) STRICT, WITHOUT ROWID;

        """
}
