extension TaskStore {
    /// A number for each event of a task in the order in which they became known; progress takes a new one each time.
    static let eventNumbers = """
        ALTER TABLE event ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
        UPDATE event SET number = (
            SELECT count(*) FROM event AS other WHERE other.task = event.task
                AND (other.at, other.stage, other.kind, other.attempt)
                    <= (event.at, event.stage, event.kind, event.attempt));
        CREATE UNIQUE INDEX event_by_number ON event (task, number);

        """

    /// What statistics and forecasts are made of. It outlives the tasks, so nothing in it leads back to one: no id, no
    /// password, no address, no path of the crashed machine but the names of libraries.
    static let outcomeTables = """
        CREATE TABLE outcome (
            number INTEGER PRIMARY KEY,
            created INTEGER NOT NULL,
            finished INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('FINISHED_SUCCESS', 'FINISHED_FAILURE')),
            type INTEGER NOT NULL,
            release_id TEXT,
            architecture TEXT,
            package TEXT,
            version TEXT,
            error_stage TEXT,
            error_code TEXT
        ) STRICT;
        CREATE INDEX outcome_by_release ON outcome (state, release_id, finished);
        CREATE TABLE outcome_stage (
            outcome INTEGER NOT NULL REFERENCES outcome (number) ON DELETE CASCADE,
            stage TEXT NOT NULL,
            microseconds INTEGER NOT NULL CHECK (microseconds >= 0),
            PRIMARY KEY (outcome, stage)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE outcome_package (
            outcome INTEGER NOT NULL REFERENCES outcome (number) ON DELETE CASCADE,
            name TEXT NOT NULL,
            version TEXT NOT NULL,
            PRIMARY KEY (outcome, name, version)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE outcome_build_id (
            outcome INTEGER NOT NULL REFERENCES outcome (number) ON DELETE CASCADE,
            build_id TEXT NOT NULL,
            file TEXT NOT NULL,
            PRIMARY KEY (outcome, build_id, file)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE denial (day INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;
        ALTER TABLE task ADD COLUMN outcome INTEGER;

        """
}
