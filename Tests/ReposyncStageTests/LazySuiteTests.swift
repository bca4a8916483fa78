import CrashModel
import Distributions
import Glibc
import Packages
import ReposyncStage
import SystemPackage
import TestFixtures
import Testing

/// A Debian archive that is indexed whole and fetched package by package.
@Suite struct LazySuites {
    private func synchronise(_ mirror: TestMirror) async throws -> SyncReport {
        try await mirror.synchronise([], plugin: "mirror: lazy\n")
    }

    private func fetch(_ names: [String], _ mirror: TestMirror) async throws -> FetchReport {
        let index = try #require(try PackageIndex(mirror.directory))
        let packages = try names.flatMap { try index.packages(named: $0) }.map {
            ResolvedPackage(nevra: $0.nevra, sha256: $0.sha256, location: $0.location, role: .binary, files: nil)
        }
        try #require(packages.count == names.count)
        let catalog = try DistributionCatalog(
            plugins: mirror.folder.appending("plugins"), keys: mirror.folder.appending("keys"))
        return try await fetchPackages(
            of: Resolution(releaseID: mirror.releaseID, releaseEvidence: "", modules: [], packages: packages),
            catalog: catalog, repositories: mirror.repositories, apt: AptSources(entries: [])
        ) { _, _ in }
    }

    @Test func debuggerIsFetchedAndTheRestIsIndexedByTheArchivesWord() async throws {
        try await TestMirror.with { mirror in
            let report = try await synchronise(mirror)
            #expect(report.downloadedCount == 2 && report.index.packageCount == 5, "\(report)")
            let index = try #require(try PackageIndex(mirror.directory))
            let files = try index.files(with: try BuildID("bb11223344556677889900aabbccddeeff001122"))
            // Its library is there with the debugger, which needs it; the symbols are only known.
            #expect(Set(files.map(\.package.nevra.name)) == ["libdemo", "libdemo-dbg"])
            let symbols = try #require(files.first { $0.kind == .debug }).package
            #expect(!mirror.directory.hasFile(at: symbols.location))
        }
    }

    @Test func fetchedPackageIsReadByTheNextSynchronisation() async throws {
        try await TestMirror.with { mirror in
            _ = try await synchronise(mirror)
            let fetched = try await fetch(["demo", "libdemo-dbg"], mirror)
            #expect(fetched.fetched.count == 2 && fetched.remarks.isEmpty, "\(fetched)")
            let before = try #require(try PackageIndex(mirror.directory))
            #expect(try before.files(at: "/usr/bin/demo") == [])
            try await mirror.archive.publish(signedBy: mirror.key, date: Int64(time(nil)) + 60)
            _ = try await synchronise(mirror)
            let after = try #require(try PackageIndex(mirror.directory))
            #expect(try after.files(at: "/usr/bin/demo").first?.buildID == BuildID(TestMirror.programID))
            #expect(after.summary.packageCount == 5)
        }
    }
}
