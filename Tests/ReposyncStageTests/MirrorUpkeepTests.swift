import CrashModel
import Distributions
import Glibc
import Packages
import Synchronization
import SystemPackage
import TestFixtures
import Testing

@testable import ReposyncStage

/// What a mirror keeps beside packages, and at what pace it takes them.
extension RPMDirectory {
    @Test func metadataThatWasReplacedIsRemoved() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            _ = try await sync(folder, [])
            try await make("other", in: folder)
            try await describe(folder, at: 1_700_000_001)
            _ = try await sync(folder, [])
            let kept = FolderContents.names(in: try mirror(folder).path.appending("metadata")).filter {
                $0.hasPrefix("everything_")
            }
            #expect(kept.count == 2, "\(kept)")
        }
    }

    @Test func downloadsThatNobodyContinuesAreRemovedAfterAWeek() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            let mirror = try mirror(folder)
            let old = ["pool/aa.unverified.partial", "fetching/bb.unverified.partial", "fetching/bb.lock"]
            let young = ["pool/cc.unverified.partial", "fetching/dd.lock"]
            for name in ["pool", "fetching"] { try DebianArchive.makeDirectories(mirror.path.appending(name)) }
            for name in old + young { try FolderContents.write([1], to: mirror.path.pushing(FilePath(name))) }
            for name in old { try await tool(["touch", "-d", "8 days ago", "\(mirror.path)/\(name)"]) }
            _ = try await sync(folder, [])
            for name in old { #expect(FolderContents.status(mirror.path.pushing(FilePath(name))) == nil) }
            for name in young { #expect(FolderContents.status(mirror.path.pushing(FilePath(name))) != nil) }
        }
    }

    @Test func unsignedPackageOfALazyMirrorIsFetchedOnceAndNamedInTheNextReport() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try await make("unsigned", in: folder)
            try await describe(folder, at: 1_700_000_001)
            let server = try await FolderServer(folder.appending("repo"))
            _ = try await sync(folder, [], more: ", mirror: lazy", at: server.address)
            let needed = try resolution(["unsigned"], folder)
            for _ in 1...2 {
                let report = try await fetchPackages(
                    of: needed, catalog: try catalog(folder), repositories: folder.appending("mirror")
                ) { _, _ in }
                #expect(report.remarks.first?.contains("no good signature") == true, "\(report)")
            }
            #expect(server.takeRequests().filter { $0.path.contains("unsigned") }.count == 1)
            // The repository is as it was, and still the report has a new name.
            for _ in 1...2 {
                let report = try await sync(folder, [], more: ", mirror: lazy", at: server.address)
                #expect(report.refused == ["unsigned-1.0-1.fc40.noarch"] && report.index.packageCount == 1, "\(report)")
            }
            let left = FolderContents.names(in: try mirror(folder).path.appending("fetching"))
            #expect(!left.contains { $0.hasSuffix(".refused") }, "\(left)")
            try await server.stop()
        }
    }

    @Test func rateLimitCountsMetadataAndAllDownloadsTogether() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top", "bottom", "side"], in: folder)
            let start = ContinuousClock.now
            let last = Mutex(start)
            // Time stands still; what would be waited for is noted.
            let clock = RateClock(
                now: { start },
                sleep: { due in last.withLock { $0 = max($0, due) } })
            let server = try await FolderServer(folder.appending("repo"))
            try writePlugin(folder, more: ", rate-limit: 1000", at: server.address)
            let id = try ReleaseID("fedora-40-x86_64")
            let distribution = try #require(try catalog(folder).distribution(named: "fedora"))
            let mirror = try mirror(folder)
            let report = try await Downloader.with(SyncLimits(), rates: RateLimits(clock: clock)) { downloader in
                try await SyncSession(
                    request: SyncRequest(releaseID: id), distribution: distribution, mirror: mirror,
                    downloader: downloader, progress: SyncProgress(id) { _ in }
                ).run(apt: AptSources(entries: []))
            }
            #expect(report.downloadedCount == 3)
            let metadata = FolderContents.names(in: mirror.path.appending("metadata"))
                .filter { $0.hasPrefix("everything_") }
                .compactMap { FolderContents.status(mirror.path.appending("metadata").appending($0))?.size }
            let bytes = Int64(report.downloadedBytes) + metadata.reduce(0, +)
            let waited = last.withLock { $0 } - start
            #expect(metadata.count == 2)
            #expect(waited > .milliseconds(bytes - 10) && waited < .milliseconds(bytes + 10), "\(waited) for \(bytes)")
            try await server.stop()
        }
    }

    /// The third death in a row ends the job without another try: what is told then was written when the try began.
    @Test func synchronisationAfterADeathTellsOfItUntilItHasEndedWell() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            let good = try await sync(folder, [])
            let mirror = try mirror(folder)
            try FolderContents.write([], to: mirror.path.appending("work/begun"))
            let seen = Mutex<[String]>([])
            let report = try await synchronise(
                SyncRequest(releaseID: mirror.releaseID), catalog: try catalog(folder),
                repositories: folder.appending("mirror")
            ) { _ in
                if let failure = SyncStatus(of: mirror)?.failure { seen.withLock { $0.append(failure) } }
            }
            #expect(report.index == good.index)
            #expect(seen.withLock { $0.first?.contains("did not come to its end") } == true)
            let status = try #require(SyncStatus(of: mirror))
            #expect(status.failure == nil && status.packageCount == 1)
            #expect(FolderContents.status(mirror.path.appending("work/begun")) == nil)
        }
    }

    @Test func fewerVersionsToKeepTakeEffectThoughNothingElseChanged() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare([], in: folder)
            for (number, version) in ["1", "2", "3"].enumerated() {
                try await make("top", version: version, in: folder)
                try await describe(folder, at: 1_700_000_000 + number)
            }
            let three = try await sync(folder, [], gpgcheck: false, more: ", keep: 3")
            #expect(three.index.packageCount == 3)
            #expect(try await sync(folder, [], gpgcheck: false, more: ", keep: 2").index.packageCount == 2)
        }
    }

    @Test func repositoryThatKeepsAllMakesKeepVoidAndTheReportSaysSo() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            let acme = ", keep: 2 }\n  - { name: acme, optional: true, mirrors: ['/nonexistent']"
            for _ in 1...2 {
                let report = try await sync(folder, [], more: acme)
                #expect(
                    report.remarks.contains { $0.contains("'keep' of repository 'everything' has no effect") },
                    "\(report)")
            }
        }
    }

    @Test func twoBuildsOfOneVersionCountAsOne() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare([], in: folder)
            for (number, what) in [("1", ""), ("2", ""), ("2", "something")].enumerated() {
                try await make("top", version: what.0, requires: what.1, in: folder)
                try await describe(folder, at: 1_700_000_000 + number)
                _ = try await sync(folder, [], gpgcheck: false, more: ", keep: 2")
            }
            let packages = try #require(try PackageIndex(mirror(folder))).packages(named: "top")
            #expect(packages.map(\.nevra.version).sorted() == ["1", "2", "2"], "\(packages)")
        }
    }

    /// The server answers nobody before all three have asked.
    @Test func severalPackagesAreDownloadedAtOnce() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top", "bottom", "side"], in: folder)
            let server = try await FolderServer(folder.appending("repo"), gathered: 3)
            var limits = SyncLimits()
            limits.silenceSeconds = 20
            limits.downloads = 3
            #expect(try await sync(folder, [], at: server.address, limits: limits).downloadedCount == 3)
            try await server.stop()
        }
    }
}
