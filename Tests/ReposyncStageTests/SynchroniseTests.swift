import CrashModel
import Distributions
import Glibc
import Packages
import ReposyncStage
import Synchronization
import SystemPackage
import TestFixtures
import Testing

@Suite struct GoodArchive {
    @Test func closureWithDebugSymbolsAndDebuggerIsMirroredAndIndexed() async throws {
        try await TestMirror.with { mirror in
            let events = Mutex<[TaskEvent]>([])
            let report = try await mirror.synchronise { event in events.withLock { $0.append(event) } }
            #expect(report.selectedCount == 4)
            #expect(report.downloadedCount == 4)
            #expect(report.index.packageCount == 4)
            #expect(report.remarks == [])
            let index = try #require(try PackageIndex(mirror.directory))
            let files = try index.files(with: try BuildID(TestMirror.libraryID))
            #expect(Set(files.map(\.package.nevra.name)) == ["libdemo", "libdemo-dbg"])
            #expect(try index.packages(named: "gdb").count == 1)
            #expect(try index.packages(named: "unrelated").isEmpty)
            for file in files {
                let path = try mirror.directory.file(at: file.package.location)
                #expect(FolderContents.status(path).map { $0.mode & 0o777 } == 0o644)
            }
            let all = events.withLock { $0 }
            #expect(
                all.allSatisfy { $0.releaseID == mirror.releaseID && $0.stage == .reposync && $0.kind == .progress })
            let fractions = all.compactMap(\.fraction)
            #expect(fractions == fractions.sorted() && !fractions.isEmpty)
            let status = try #require(SyncStatus(of: mirror.directory))
            #expect(status.failure == nil && status.packageCount == 4 && status.lastSuccessAt == status.finishedAt)
        }
    }

    @Test func debuggerOfKernelsComesWithTheClosure() async throws {
        try await TestMirror.with { mirror in
            _ = try await mirror.synchronise()
            let report = try await mirror.synchronise(plugin: kernelDebugger("unrelated"))
            #expect(report.downloadedCount == 1 && report.selectedCount == 5 && report.remarks == [], "\(report)")
        }
    }

    @Test func debuggerOfKernelsThatNoRepositoryHasIsARemark() async throws {
        try await TestMirror.with { mirror in
            let report = try await mirror.synchronise(plugin: kernelDebugger("crash"))
            #expect(report.selectedCount == 4 && report.index.packageCount == 4)
            #expect(report.remarks.count == 1 && report.remarks.first?.contains("'crash'") == true, "\(report)")
        }
    }

    @Test func debuggerOfKernelsThatIsTheHostsIsNotLookedFor() async throws {
        try await TestMirror.with { mirror in
            let plugin = "kernel-debugger: { host: true, executable: /usr/bin/crash }\n"
            let report = try await mirror.synchronise(plugin: plugin)
            #expect(report.remarks == [] && report.selectedCount == 4)
        }
    }

    @Test func emptyListMeansTheWholeSuite() async throws {
        try await TestMirror.with { mirror in
            let report = try await mirror.synchronise([])
            #expect(report.downloadedCount == 5)
        }
    }

    @Test func unchangedArchiveIsNotDownloadedAgain() async throws {
        try await TestMirror.with { mirror in
            let server = try await FolderServer(mirror.archive.folder)
            _ = try await mirror.synchronise(from: [server.address])
            _ = server.takeRequests()
            let report = try await mirror.synchronise(from: [server.address])
            #expect(report.downloadedCount == 0 && report.selectedCount == 4)
            #expect(server.takeRequests().map(\.path) == ["/dists/bookworm/InRelease"])
            try await server.stop()
        }
    }

    @Test func anotherRequestOfAnUnchangedArchiveIsServed() async throws {
        try await TestMirror.with { mirror in
            _ = try await mirror.synchronise()
            let report = try await mirror.synchronise(["unrelated"])
            #expect(report.downloadedCount == 1)
            #expect(report.index.packageCount == 5)
        }
    }

    @Test func packageFileThatVanishedFromTheMirrorIsFetchedAgain() async throws {
        try await TestMirror.with { mirror in
            _ = try await mirror.synchronise()
            let index = try #require(try PackageIndex(mirror.directory))
            let package = try #require(try index.packages(named: "demo").first)
            #expect(unlink(try mirror.directory.file(at: package.location).string) == 0)
            #expect(try await mirror.synchronise().downloadedCount == 1)
        }
    }

    @Test func oldVersionsAreKept() async throws {
        try await TestMirror.with { mirror in
            _ = try await mirror.synchronise()
            mirror.archive.stanzas.removeAll { $0.contains("demo") && !$0.hasPrefix("Package: gdb") }
            try await mirror.addDemo(version: "1.1-1")
            try await mirror.archive.publish(signedBy: mirror.key)
            let report = try await mirror.synchronise()
            #expect(report.downloadedCount == 3)
            let index = try #require(try PackageIndex(mirror.directory))
            #expect(Set(try index.packages(named: "demo").map(\.nevra.versionText)) == ["1.0-1", "1.1-1"])
            #expect(try index.files(with: try BuildID(TestMirror.libraryID)).count == 4)
        }
    }

    @Test func samePathWithOtherContentIsKeptBesideTheOldOne() async throws {
        try await TestMirror.with { mirror in
            _ = try await mirror.synchronise()
            mirror.archive.stanzas.removeAll { $0.hasPrefix("Package: gdb") }
            var other = MadeDebianPackage("gdb", version: "13.1-3", fields: ["Depends: libdemo"])
            other.add("/usr/bin/gdb", Array("#!/bin/sh\n# another build\n".utf8), executable: true)
            try await mirror.archive.add(other)
            try await mirror.archive.publish(signedBy: mirror.key)
            let report = try await mirror.synchronise()
            #expect(report.downloadedCount == 1)
            let index = try #require(try PackageIndex(mirror.directory))
            let locations = try index.packages(named: "gdb").map(\.location)
            #expect(locations.count == 2 && locations.contains { $0.hasPrefix("pool/by-hash/") })
        }
    }

    /// As of a vendor that rebuilds packages, or one that wants to have their places.
    @Test(arguments: ["full", "lazy"])
    func samePathInTwoRepositoriesWithOtherContentHasTwoPlaces(_ mode: String) async throws {
        try await TestMirror.with { mirror in
            var other = try DebianArchive(in: mirror.folder.appending("vendor"))
            var gdb = MadeDebianPackage("gdb", version: "13.1-3")
            gdb.add("/usr/bin/gdb", Array("#!/bin/sh\n# of a vendor\n".utf8), executable: true)
            try await other.add(gdb)
            try await other.publish(signedBy: mirror.key)
            let vendor =
                "  - { name: vendor, suite: bookworm, components: [main], mirrors: ['\(other.folder)'], mirror: \(mode) }\n"
            let report = try await mirror.synchronise([], plugin: vendor)
            #expect(report.index.packageCount == 6, "\(report)")
            let index = try #require(try PackageIndex(mirror.directory))
            let packages = try index.packages(named: "gdb")
            #expect(packages.count == 2 && Set(packages.map(\.location)).count == 2, "\(packages)")
            // Once they are there, nothing is fetched again.
            try await other.publish(signedBy: mirror.key, date: Int64(time(nil)) + 60)
            #expect(try await mirror.synchronise([], plugin: vendor).downloadedCount == 0)
        }
    }

    @Test func aptSourcesOfTheHostAreUsedWhereThePluginSaysSo() async throws {
        try await TestMirror.with { mirror in
            let apt = AptSources(entries: [
                .init(address: mirror.archive.folder.string, suites: ["bookworm"], components: ["main"])
            ])
            let report = try await mirror.synchronise(from: ["host-apt-sources"], apt: apt)
            #expect(report.downloadedCount == 4)
        }
    }

    @Test func symbolsInADebugPackageOfTheSameSourceCome() async throws {
        try await TestMirror.with { mirror in
            let source = "Source: kit (1.0-1)"
            try await mirror.archive.add(MadeDebianPackage("tool", version: "1.0-1+b2", fields: [source]))
            try await mirror.archive.add(MadeDebianPackage("libkit", version: "1.0-1", fields: [source]))
            try await mirror.archive.add(
                MadeDebianPackage("libkit-dbg", version: "1.0-1", fields: [source, "Depends: libkit (= 1.0-1)"]),
                fields: ["Build-Ids: \(TestMirror.programID)"])
            try await mirror.archive.publish(signedBy: mirror.key)
            _ = try await mirror.synchronise(["tool"])
            let index = try #require(try PackageIndex(mirror.directory))
            #expect(try index.packages(named: "libkit-dbg").count == 1)
            #expect(try index.packages(named: "libkit").isEmpty)
        }
    }

    @Test func missingDebuggerIsARemarkNotAFailure() async throws {
        try await TestMirror.with { mirror in
            mirror.archive.stanzas.removeAll { $0.hasPrefix("Package: gdb") }
            try await mirror.archive.publish(signedBy: mirror.key)
            let report = try await mirror.synchronise()
            #expect(report.remarks.contains { $0.contains("'gdb'") })
        }
    }
}
