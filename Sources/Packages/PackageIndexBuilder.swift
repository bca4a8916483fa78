import CrashModel
import FoundationEssentials
import GRDB
import Glibc
import SystemPackage

/// Makes a new index of one release beside the published one.
///
/// Files are staged in the order in which they come and sorted once at the end, so that the cost of a million packages
/// is that of a sort. All methods block: call them on a thread pool. Calls from several threads take turns.
package final class PackageIndexBuilder: Sendable {
    private let mirror: MirrorDirectory
    private let aside: FilePath
    private let database: DatabaseQueue
    /// Whether a published index is attached, from which rows may be carried over.
    private let hasPrevious: Bool

    /// Starts an empty index; a published one that is damaged or of another schema is left out of account.
    package init(for mirror: MirrorDirectory) throws(PackageIndexError) {
        self.mirror = mirror
        aside = FilePath(mirror.index.string + ".\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp")
        var configuration = Configuration()
        // One transaction spans all calls; the file is thrown away if it does not come to its end.
        configuration.allowsUnsafeTransactions = true
        removeStaleFiles(beside: mirror.index)
        let previous = Self.isSound(mirror) ? mirror.index : nil
        hasPrevious = previous != nil
        let path = aside.string
        database = try indexErrors {
            let database = try DatabaseQueue(path: path, configuration: configuration)
            try database.writeWithoutTransaction { try Self.prepare($0, previous: previous) }
            return database
        }
    }

    deinit {
        // Published files have moved away; any other has no reader.
        unlink(aside.string)
    }

    /// Adds a package with the files that matter for debugging; a package file that is already there is left as it is.
    ///
    /// - Parameter offer: Where it can be fetched when it is needed; nil for one that is in the mirror for good.
    package func add(
        _ package: IndexedPackage, files: [IndexedPath], offer: PackageOffer? = nil
    ) throws(PackageIndexError) {
        try add([StagedPackage(package, files: files, offer: offer)])
    }

    /// Adds packages, as ``add(_:files:offer:)`` does each.
    package func add(_ packages: [StagedPackage]) throws(PackageIndexError) {
        try indexErrors {
            try database.writeWithoutTransaction { database in
                let statement = try database.cachedStatement(
                    sql: "INSERT INTO staged (path, package, kind, build_id, target) VALUES (?, ?, ?, ?, ?)")
                for staged in packages {
                    guard let id = try Self.insert(staged.package, staged.offer, into: database) else { continue }
                    for file in staged.files {
                        // Checked arguments cost as much as the row.
                        statement.setUncheckedArguments([
                            file.path, id, file.kind.rawValue, file.buildID.map { Data($0.bytes) }, file.target,
                        ])
                        try statement.execute()
                    }
                }
            }
        }
    }

    /// Adds a package with the files that the published index has of the same package file.
    ///
    /// - Returns: Whether it has them; if not, nothing was added and the package must be scanned. It has none of a package
    ///   that was only offered: its own files were not read then.
    package func carryOver(
        _ package: IndexedPackage, offer: PackageOffer? = nil
    ) throws(PackageIndexError) -> Bool {
        guard hasPrevious else { return false }
        return try indexErrors {
            try database.writeWithoutTransaction { database in
                let known = try Int64.fetchOne(
                    try database.cachedStatement(
                        sql: """
                            SELECT id FROM previous.packages WHERE sha256 = ? AND offered_by IS NULL
                            """),
                    arguments: [package.sha256])
                guard let known else { return false }
                guard let id = try Self.insert(package, offer, into: database) else { return true }
                try database.cachedStatement(sql: "INSERT OR IGNORE INTO carried (old, new) VALUES (?, ?)")
                    .execute(arguments: [known, id])
                return true
            }
        }
    }

    /// Takes over all that the published index has, what is only offered included.
    ///
    /// - Returns: Whether there is one; if not, nothing was added.
    package func carryOverAll() throws(PackageIndexError) -> Bool {
        guard hasPrevious else { return false }
        let columns = """
            name, epoch, version, release, architecture, package_kind, source_name, source_version, sha256, location,
            bytes, offered_by, offered_path
            """
        try indexErrors {
            try database.writeWithoutTransaction { database in
                try database.execute(
                    sql: """
                        INSERT OR IGNORE INTO packages (\(columns)) SELECT \(columns) FROM previous.packages;
                        INSERT OR IGNORE INTO carried (old, new)
                        SELECT old.id, new.id FROM previous.packages AS old JOIN main.packages AS new USING (sha256);
                        """)
            }
        }
        return true
    }

    /// Ends the index, flushes it and renames it into place. The builder takes nothing more.
    package func publish() throws(PackageIndexError) -> PackageIndexSummary {
        let summary = try indexErrors {
            let hasPrevious = hasPrevious
            let summary = try database.writeWithoutTransaction { try Self.finish($0, hasPrevious: hasPrevious) }
            try database.close()
            return summary
        }
        do throws(Errno) {
            if chmod(aside.string, 0o644) != 0 { throw Errno(rawValue: errno) }
            try publishFile(aside, as: mirror.index)
        } catch {
            throw .inputOutput("it could not be put in place: \(error)")
        }
        return summary
    }

    /// Whether there is an index whose rows may be carried over; every package of any other is simply read again.
    private static func isSound(_ mirror: MirrorDirectory) -> Bool {
        do {
            guard let index = try PackageIndex(mirror) else { return false }
            return try index.database.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") } == "ok"
        } catch {
            return false
        }
    }

    private static func prepare(_ database: Database, previous: FilePath?) throws {
        // Nobody reads the file before it is complete, so it needs no journal and no waiting for the disk.
        for pragma in ["journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -32768"] {
            try database.execute(sql: "PRAGMA \(pragma)")
        }
        if let previous {
            try database.execute(sql: "ATTACH ? AS previous", arguments: [previous.string])
        }
        try database.execute(sql: "BEGIN")
        try database.execute(sql: PackageIndexSchema.tables)
        try database.execute(
            sql: """
                CREATE TEMP TABLE staged (path TEXT, package INTEGER, kind INTEGER, build_id BLOB, target TEXT);
                CREATE TEMP TABLE carried (old INTEGER PRIMARY KEY, new INTEGER NOT NULL);
                """)
    }

    private static func insert(
        _ package: IndexedPackage, _ offer: PackageOffer?, into database: Database
    ) throws -> Int64? {
        let nevra = package.nevra
        try database.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO packages (name, epoch, version, release, architecture, package_kind, source_name,
                source_version, sha256, location, bytes, offered_by, offered_path)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            nevra.name, nevra.epoch, nevra.version, nevra.release, nevra.architecture, package.kind.rawValue,
            package.source.name, package.source.version, package.sha256, package.location,
            Int64(clamping: package.byteCount), offer?.repository, offer?.path,
        ])
        return database.changesCount == 0 ? nil : database.lastInsertedRowID
    }

    private static func finish(_ database: Database, hasPrevious: Bool) throws -> PackageIndexSummary {
        let all = { (table: String, filter: String) in
            "SELECT path, package, kind, build_id, target FROM staged \(filter)"
                + (hasPrevious
                    ? """
                     UNION ALL SELECT path, new, kind, build_id, target FROM previous.\(table)
                    JOIN carried ON old = package
                    """ : "")
        }
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO paths (path, package, kind, build_id, target)
                \(all("paths", "WHERE kind NOT IN (2, 3)"))
                ORDER BY 1, 2;
                INSERT OR IGNORE INTO build_ids (path, package, kind, build_id, target)
                \(all("build_ids", "WHERE build_id IS NOT NULL")) ORDER BY 4, 2, 1;
                """)
        try database.execute(sql: PackageIndexSchema.indices)
        let counts: [(String, String)] = [
            ("packages", "SELECT count(*) FROM packages"),
            ("debuginfo_packages", "SELECT count(*) FROM packages WHERE package_kind = 1"),
            ("build_ids", "SELECT count(DISTINCT build_id) FROM build_ids"),
            ("created_at", "SELECT unixepoch()"),
        ]
        for (key, query) in counts {
            try database.execute(sql: "INSERT INTO meta (key, value) VALUES (?, (\(query)))", arguments: [key])
        }
        try database.execute(sql: "PRAGMA user_version = \(PackageIndexSchema.version); COMMIT")
        if hasPrevious { try database.execute(sql: "DETACH previous") }
        return try PackageIndexSchema.checkedSummary(database)
    }
}
