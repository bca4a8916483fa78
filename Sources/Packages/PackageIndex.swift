package import CrashModel
import FoundationEssentials
import GRDB
import SystemPackage

/// The packages of one release by build-id, by path and by name: a SQLite file that never changes.
///
/// A synchronisation publishes a new file under the same name, so an open index stays consistent for as long as a
/// resolve needs it; ``PackageIndexes`` opens the new one. All methods block on the disk: call them on a thread pool.
package final class PackageIndex: Sendable {
    package let releaseID: ReleaseID
    package let summary: PackageIndexSummary
    /// The file that was opened; another one under the same name has another.
    let identity: FileIdentity
    let database: DatabaseQueue

    /// Opens the published index of `mirror`, read-only; nil when there is none.
    ///
    /// - Throws: ``PackageIndexError`` for a file that is damaged or of another schema.
    package convenience init?(_ mirror: MirrorDirectory) throws(PackageIndexError) {
        guard let identity = FileIdentity(of: mirror.index) else { return nil }
        try self.init(opening: mirror.index, identity: identity, releaseID: mirror.releaseID)
    }

    init(opening path: FilePath, identity: FileIdentity, releaseID: ReleaseID) throws(PackageIndexError) {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA mmap_size = 268435456")
        }
        let (database, summary) = try indexErrors {
            let database = try DatabaseQueue(path: path.string, configuration: configuration)
            return (database, try database.read(PackageIndexSchema.checkedSummary))
        }
        self.releaseID = releaseID
        self.identity = identity
        self.database = database
        self.summary = summary
    }

    /// Every file that claims `buildID`: binaries, their debug files and dwz files, of all versions.
    package func files(with buildID: BuildID) throws(PackageIndexError) -> [IndexedFile] {
        try files(sql: PackageIndexQueries.filesByBuildID, [Data(buildID.bytes)])
    }

    /// Every file under the name `path`, in the usr-merged or the old spelling.
    package func files(at path: String) throws(PackageIndexError) -> [IndexedFile] {
        try files(sql: PackageIndexQueries.filesByPath, [usrMerged(path)])
    }

    /// The files of `package` that a debugger needs beside a debug file: dwz files and scripts that gdb loads itself.
    package func companions(of package: IndexedPackage) throws(PackageIndexError) -> [IndexedFile] {
        try files(sql: PackageIndexQueries.companions, [package.sha256])
    }

    /// All versions of the package `name`.
    package func packages(named name: String) throws(PackageIndexError) -> [IndexedPackage] {
        try packages(sql: PackageIndexQueries.packagesByName, [name])
    }

    /// All packages built from `source`.
    package func packages(from source: SourcePackage) throws(PackageIndexError) -> [IndexedPackage] {
        try packages(sql: PackageIndexQueries.packagesBySource, [source.name, source.version])
    }

    /// The package files with that identity: one, unless a repository replaced a package without a new version.
    package func packages(_ nevra: NEVRA) throws(PackageIndexError) -> [IndexedPackage] {
        try packages(named: nevra.name).filter { $0.nevra == nevra }
    }

    /// The package file with that SHA-256.
    package func package(sha256: String) throws(PackageIndexError) -> IndexedPackage? {
        try packages(sql: PackageIndexQueries.packagesByChecksum, [sha256]).first
    }

    /// Where the package file with that SHA-256 can be fetched; nil for one that the repositories do not offer (any more).
    package func offer(of sha256: String) throws(PackageIndexError) -> PackageOffer? {
        try indexErrors {
            try database.read { database in
                let row = try Row.fetchOne(
                    try database.cachedStatement(sql: PackageIndexQueries.offer), arguments: [sha256])
                guard let row, let repository = row["offered_by"] as String?,
                    let path = row["offered_path"] as String?
                else {
                    return nil
                }
                return PackageOffer(repository: repository, path: path)
            }
        }
    }

    /// A package file of the mirror, as ``forEachPackage(_:)`` tells of it.
    package struct MirroredFile: Hashable, Sendable {
        /// 64 lower-case hex digits.
        package let sha256: String
        /// Relative to ``MirrorDirectory/path``.
        package let location: String
        /// The size in bytes.
        package let byteCount: UInt64
        /// Whether it is fetched on first need and so may not be there.
        package let isOffered: Bool
    }

    /// Calls `body` for every package file of the index, in no order.
    package func forEachPackage(_ body: (MirroredFile) throws -> Void) throws {
        try database.read { database in
            let rows = try Row.fetchCursor(database, sql: "SELECT sha256, location, bytes, offered_by FROM packages")
            while let row = try rows.next() {
                try body(
                    MirroredFile(
                        sha256: row[0], location: row[1], byteCount: UInt64(clamping: row[2] as Int64),
                        isOffered: row[3] != nil))
            }
        }
    }

    private func files(sql: String, _ arguments: StatementArguments) throws(PackageIndexError) -> [IndexedFile] {
        try indexErrors {
            try database.read { database in
                try Row.fetchAll(try database.cachedStatement(sql: sql), arguments: arguments)
                    .map(PackageIndexSchema.file)
            }
        }
    }

    private func packages(sql: String, _ arguments: StatementArguments) throws(PackageIndexError) -> [IndexedPackage] {
        try indexErrors {
            try database.read { database in
                try Row.fetchAll(try database.cachedStatement(sql: sql), arguments: arguments)
                    .map(PackageIndexSchema.package)
            }
        }
    }
}

/// Which file it was that a path led to: device, inode, size and time of change.
struct FileIdentity: Hashable, Sendable {
    private let parts: [Int64]

    /// nil when there is no such file.
    init?(of path: FilePath) {
        guard let parts = fileIdentityParts(path) else { return nil }
        self.parts = parts
    }
}
