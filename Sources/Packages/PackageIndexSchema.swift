import CrashModel
import FoundationEssentials
import GRDB

/// The tables of an index and how their rows are read.
enum PackageIndexSchema {
    /// Raised whenever a reader of the older tables would misread the newer ones, and whenever ``scanPackage(_:)`` finds
    /// something that carried-over rows would lack.
    static let version = 3

    static let tables = """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE packages (
          id INTEGER PRIMARY KEY, name TEXT NOT NULL, epoch INTEGER NOT NULL, version TEXT NOT NULL,
          release TEXT NOT NULL, architecture TEXT NOT NULL, package_kind INTEGER NOT NULL,
          source_name TEXT NOT NULL, source_version TEXT NOT NULL,
          sha256 TEXT NOT NULL UNIQUE, location TEXT NOT NULL, bytes INTEGER NOT NULL,
          offered_by TEXT, offered_path TEXT);
        CREATE TABLE build_ids (
          build_id BLOB NOT NULL, package INTEGER NOT NULL, path TEXT NOT NULL, kind INTEGER NOT NULL, target TEXT,
          PRIMARY KEY (build_id, package, path)) WITHOUT ROWID;
        CREATE TABLE paths (
          path TEXT NOT NULL, package INTEGER NOT NULL, kind INTEGER NOT NULL, build_id BLOB, target TEXT,
          PRIMARY KEY (path, package)) WITHOUT ROWID;
        """

    /// Made when the tables are full.
    static let indices = """
        CREATE INDEX packages_by_name ON packages (name);
        CREATE INDEX packages_by_source ON packages (source_name, source_version);
        CREATE INDEX companions ON paths (package) WHERE kind >= 5;
        """

    /// - Throws: ``PackageIndexError/wrongSchema(found:expected:)``, and what SQLite says of a file that is no index.
    static func checkedSummary(_ database: Database) throws -> PackageIndexSummary {
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found == version else { throw PackageIndexError.wrongSchema(found: found, expected: version) }
        let rows = try Row.fetchAll(database, sql: "SELECT key, value FROM meta")
        let meta = Dictionary(rows.map { ($0["key"] as String, $0["value"] as Int64) }) { first, _ in first }
        return PackageIndexSummary(
            packageCount: Int(meta["packages"] ?? 0), debuginfoPackageCount: Int(meta["debuginfo_packages"] ?? 0),
            buildIDCount: Int(meta["build_ids"] ?? 0), createdAt: meta["created_at"] ?? 0)
    }

    static func package(_ row: Row) throws -> IndexedPackage {
        guard let kind = PackageKind(rawValue: row["package_kind"]) else {
            throw PackageIndexError.damaged("a package of unknown kind")
        }
        let nevra = try NEVRA(
            name: row["name"] as String, epoch: row["epoch"], version: row["version"] as String,
            release: row["release"] as String, architecture: row["architecture"] as String)
        return IndexedPackage(
            nevra: nevra, sha256: row["sha256"], location: row["location"],
            byteCount: UInt64(clamping: row["bytes"] as Int64), kind: kind,
            source: SourcePackage(name: row["source_name"], version: row["source_version"]))
    }

    static func file(_ row: Row) throws -> IndexedFile {
        guard let kind = FileKind(rawValue: row["kind"]) else {
            throw PackageIndexError.damaged("a file of unknown kind")
        }
        let buildID = try (row["build_id"] as Data?).map { try BuildID(bytes: Array($0)) }
        let file = IndexedPath(path: row["path"], kind: kind, buildID: buildID, target: row["target"])
        return IndexedFile(package: try package(row), file: file)
    }
}

/// Runs `body` and gives its errors their type.
func indexErrors<Value>(_ body: () throws -> Value) throws(PackageIndexError) -> Value {
    do {
        return try body()
    } catch let error as PackageIndexError {
        throw error
    } catch let error as DatabaseError {
        let text = error.message ?? "SQLite error \(error.resultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_BUSY,
            .SQLITE_LOCKED, .SQLITE_NOMEM:
            throw .inputOutput(text)
        default: throw .damaged(text)
        }
    } catch {
        throw .damaged(String(describing: error))
    }
}
