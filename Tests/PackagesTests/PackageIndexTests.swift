import CrashModel
import GRDB
import SystemPackage
import TestFixtures
import Testing

@testable import Packages

struct PackageIndexTests {
    @Test func findsFilesByBuildIDAndByBothSpellingsOfAPath() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            try made.publishInvented(count: 10)
            let index = try #require(try PackageIndex(made.mirror))
            let found = try index.files(with: inventedBuildID(7))
            #expect(Set(found.map(\.kind)) == [.binary, .debug])
            #expect(Set(found.map(\.package.nevra.name)) == ["lib7"])
            for path in ["/lib/x86_64-linux-gnu/lib7.so.1", "/usr/lib/x86_64-linux-gnu/lib7.so.1"] {
                let files = try index.files(at: path)
                #expect(files.map(\.path) == ["/usr/lib/x86_64-linux-gnu/lib7.so.1"])
                #expect(files.map(\.buildID) == [try inventedBuildID(7)])
            }
            #expect(try index.files(with: inventedBuildID(10)).isEmpty)
            #expect(try index.files(at: "/usr/lib/x86_64-linux-gnu/lib10.so.1").isEmpty)
        }
    }

    @Test func findsPackagesByNameSourceAndChecksum() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            try made.publishInvented(count: 10)
            let index = try #require(try PackageIndex(made.mirror))
            let package = try made.invented(4).0
            #expect(try index.packages(named: "lib4") == [package])
            #expect(try index.packages(package.nevra) == [package])
            #expect(try index.package(sha256: package.sha256) == package)
            #expect(try index.packages(from: package.source).map(\.nevra.name).sorted() == ["lib3", "lib4", "lib5"])
            #expect(index.summary.packageCount == 10)
            #expect(index.summary.buildIDCount == 10)
            #expect(index.summary.debuginfoPackageCount == 0)
        }
    }

    @Test func aReleaseWithoutAnIndexHasNone() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            #expect(try PackageIndex(made.mirror) == nil)
            #expect(try PackageIndexes(repositories: directory).index(of: made.mirror.releaseID) == nil)
        }
    }

    @Test(arguments: [1000, 100_000])
    func aLookupSearchesAndNeverScans(count: Int) throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            try made.publishInvented(count: count)
            let index = try #require(try PackageIndex(made.mirror))
            for sql in PackageIndexQueries.all {
                let plan = try index.database.read { database in
                    let blanks = StatementArguments(Array(repeating: 1, count: sql.count { $0 == "?" }))
                    return try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(sql)", arguments: blanks)
                        .map { $0["detail"] as String }
                }
                #expect(!plan.isEmpty)
                for step in plan { #expect(step.hasPrefix("SEARCH"), "\(sql): \(step)") }
            }
        }
    }

    @Test func aReplacedIndexIsOpenedAgainAndTheOldOneStaysReadable() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            let indexes = PackageIndexes(repositories: directory)
            try made.publishInvented(count: 1)
            let first = try #require(try indexes.index(of: made.mirror.releaseID))
            #expect(try indexes.index(of: made.mirror.releaseID) === first)
            try made.publishInvented(count: 2)
            let second = try #require(try indexes.index(of: made.mirror.releaseID))
            #expect(second !== first)
            #expect(second.summary.packageCount == 2)
            #expect(try first.files(with: inventedBuildID(0)).count == 2)
            #expect(try indexes.mirroredReleases() == [made.mirror.releaseID])
        }
    }

    @Test func aFileThatIsNoDatabaseIsReportedAsDamaged() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            try write(String(repeating: "this is text, not SQLite. ", count: 200), to: made.mirror.index)
            let error = #expect(throws: PackageIndexError.self) { try PackageIndex(made.mirror) }
            guard case .damaged = error else {
                Issue.record("expected damage, got \(String(describing: error))")
                return
            }
        }
    }

    @Test func damagedPagesAreReportedAndDoNotStopTheNextSynchronisation() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            try made.publishInvented(count: 2000)
            let file = try FileDescriptor.open(made.mirror.index, .readWrite)
            let size = try file.seek(offset: 0, from: .end)
            // The first page stays, so that the file still opens.
            for offset in stride(from: Int64(4096), to: size, by: 4096) {
                _ = try file.writeAll(toAbsoluteOffset: offset, [UInt8](repeating: 0xff, count: 64))
            }
            try file.close()
            #expect(throws: PackageIndexError.self) {
                let index = try #require(try PackageIndex(made.mirror))
                for number in 0..<100 { _ = try index.files(with: inventedBuildID(number)) }
            }
            let builder = try PackageIndexBuilder(for: made.mirror)
            let (package, files) = try made.invented(1500)
            #expect(try !builder.carryOver(package))
            try builder.add(package, files: files)
            #expect(try builder.publish().packageCount == 1)
        }
    }

    @Test func anotherSchemaIsRefusedByNumber() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            try made.publishInvented(count: 1)
            let database = try DatabaseQueue(path: made.mirror.index.string)
            try database.write { try $0.execute(sql: "PRAGMA user_version = 99") }
            try database.close()
            #expect(throws: PackageIndexError.wrongSchema(found: 99, expected: PackageIndexSchema.version)) {
                try PackageIndex(made.mirror)
            }
        }
    }

    @Test(arguments: ["", "/etc/passwd", "../x", "pool/../../x", "pool/\0x"])
    func aLocationOutsideTheMirrorIsRefused(location: String) throws {
        let mirror = MirrorDirectory(try ReleaseID("debian-12-x86_64"), in: "/nowhere")
        #expect(throws: InvalidValue.self) { try mirror.file(at: location) }
    }

    @Test func theStatusOfASynchronisationIsReadBack() throws {
        try ScratchDirectory.with { directory in
            let made = try MadeMirror(in: directory)
            #expect(SyncStatus(of: made.mirror) == nil)
            let status = SyncStatus(
                finishedAt: 1_795_000_000, failure: "The archive did not answer.", packageCount: 3, byteCount: 1234,
                lastSuccessAt: nil)
            try status.write(to: made.mirror)
            #expect(SyncStatus(of: made.mirror) == status)
        }
    }
}
