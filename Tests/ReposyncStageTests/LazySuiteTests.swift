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

    @Test func debuggerOfKernelsIsFetchedToo() async throws {
        try await TestMirror.with { mirror in
            let report = try await mirror.synchronise([], plugin: "mirror: lazy\n" + kernelDebugger("unrelated"))
            let index = try #require(try PackageIndex(mirror.directory))
            let package = try #require(try index.packages(named: "unrelated").first)
            #expect(report.downloadedCount == 3 && mirror.directory.hasFile(at: package.location), "\(report)")
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

    @Test func namesOfFilesComeFromTheListOfContents() async throws {
        try await TestMirror.with { mirror in
            mirror.archive.contents = [
                "usr/bin/demo                 utils/demo", "usr/bin/two words\tutils/demo,admin/unrelated",
                "lib/x86_64-linux-gnu/libdemo.so.1 libs/libdemo", "usr/share/doc/demo/copyright utils/demo", "",
                "broken",
                String(repeating: "x", count: 200_000) + " utils/demo",
            ]
            try await mirror.archive.publish(signedBy: mirror.key)
            _ = try await synchronise(mirror)
            let index = try #require(try PackageIndex(mirror.directory))
            let program = try #require(try index.files(at: "/usr/bin/demo").first)
            #expect(program.package.nevra.name == "demo" && program.buildID == nil && program.kind == .binary)
            #expect(try index.offer(of: program.package.sha256)?.repository == "main")
            #expect(try Set(index.files(at: "/usr/bin/two words").map(\.package.nevra.name)) == ["demo", "unrelated"])
            // The library came with the debugger: its own file tells more than the list.
            let library = try #require(try index.files(at: "/lib/x86_64-linux-gnu/libdemo.so.1").first)
            #expect(library.buildID != nil)
        }
    }

    @Test func listOfContentsThatIsABombIsRefused() async throws {
        try await TestMirror.with { mirror in
            mirror.archive.contents = [String(repeating: "usr/bin/demo utils/demo\n", count: 200_000)]
            try await mirror.archive.publish(signedBy: mirror.key)
            var limits = SyncLimits()
            limits.listBytes = 1 << 20
            try mirror.write(
                Array((DebianArchive.plugin(mirrors: [mirror.archive.folder.string]) + "mirror: lazy\n").utf8),
                to: "plugins/debian.yaml")
            let catalog = try DistributionCatalog(
                plugins: mirror.folder.appending("plugins"), keys: mirror.folder.appending("keys"))
            let error = await #expect(throws: StageError.self) {
                _ = try await ReposyncStage.synchronise(
                    SyncRequest(releaseID: mirror.releaseID), catalog: catalog, repositories: mirror.repositories,
                    apt: AptSources(entries: []), limits: limits
                ) { _ in }
            }
            #expect(
                error?.code == .metadataRefused && error?.reason.contains("A list of files") == true, "\(error as Any)")
        }
    }
}
