import CrashModel
import Packages
import SystemPackage
import TestFixtures
import Testing

@testable import ReposyncStage

/// Mirrors of RPMs that lie about the time, send a byte now and then, or announce what is no package.
extension RPMDirectory {
    @Test func mirrorThatTricklesIsGivenUpAndTheNextOneIsAsked() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            let slow = try await FolderServer(folder.appending("repo"), trickle: [".rpm"])
            let slower = try await FolderServer(folder.appending("repo"), trickle: ["repomd.xml"])
            var limits = SyncLimits()
            limits.silenceSeconds = 1
            limits.attemptsPerMirror = 1
            let error = try await failure(folder, at: slower.address, limits: limits)
            #expect(error.code == .mirrorsUnreachable, "\(error)")
            let addresses = "\(slower.address)', '\(slow.address)', '\(folder)/repo"
            let report = try await sync(folder, [], at: addresses, limits: limits)
            #expect(report.downloadedCount == 1 && report.index.packageCount == 1)
            #expect(slow.takeRequests().contains { $0.path.hasSuffix(".rpm") })
            try await slow.stop()
            try await slower.stop()
        }
    }

    @Test func bytesNowAndThenAreNoPace() throws {
        var pace = MirrorPace(SyncLimits())
        for _ in 1...2 { try pace.received(1 << 20, of: "a file", after: .seconds(59)) }
        try pace.received(1, of: "a file", after: .seconds(59))
        let failure = #expect(throws: MirrorFailure.self) { try pace.received(1, of: "a file", after: .seconds(59)) }
        #expect(failure?.description.contains("comes too slowly: 2 bytes in 118 seconds") == true)
    }

    @Test func fileThatTakesTooLongInAllIsGivenUp() throws {
        var limits = SyncLimits()
        limits.fileSeconds = 90
        var pace = MirrorPace(limits)
        try pace.received(1 << 20, of: "a file", after: .seconds(61))
        #expect(throws: MirrorFailure.self) { try pace.received(1 << 20, of: "a file", after: .seconds(61)) }
    }

    /// One that says 2096 would make every honest mirror a replay, also after it is gone from the plugin.
    @Test func metadataFromTheFutureIsRefusedAndTheHonestMirrorIsTaken() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try await tool(["cp", "-r", "\(folder)/repo", "\(folder)/liar"])
            try await tool([
                "sed", "-i", "s/<timestamp>.*</<timestamp>4000000000</", "\(folder)/liar/repodata/repomd.xml",
            ])
            let error = try await failure(folder, at: "\(folder)/liar")
            #expect(error.reason.contains("dated in the future: 2096-10-02"), "\(error)")
            let both = try await sync(folder, [], at: "\(folder)/liar', '\(folder)/repo")
            #expect(both.downloadedCount == 1)
            #expect(try await sync(folder, []).index.packageCount == 1)
        }
    }

    @Test func futureThatWasBelievedBeforeIsForgotten() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            let metadata = try mirror(folder).path.appending("metadata")
            try DebianArchive.makeDirectories(metadata)
            try FolderContents.write("4000000000".utf8, to: metadata.appending("everything.repomd-time"))
            #expect(try await sync(folder, []).downloadedCount == 1)
        }
    }

    /// A file that is no package at all is refused for good, as one without a signature is; the rest goes on.
    @Test func fileThatIsNoPackageIsRefusedByName() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top", "bottom"], in: folder)
            try await tool([
                "sh", "-ec",
                """
                cd '\(folder)/repo'
                old=$(sha256sum bottom-*.rpm | cut -d ' ' -f 1); size=$(stat -c %s bottom-*.rpm)
                echo junk > bottom-1.0-1.fc40.noarch.rpm
                new=$(sha256sum bottom-*.rpm | cut -d ' ' -f 1)
                cd repodata
                gzip -dc *-primary.xml.gz | sed "s/$old/$new/; s/package=.$size./package='5'/" > primary.xml
                rm *.gz *.bz2 repomd.xml
                """,
            ])
            try await announce("primary.xml", in: folder)
            let report = try await sync(folder, [])
            #expect(report.refused == ["bottom-1.0-1.fc40.noarch"] && report.downloadedCount == 1, "\(report)")
        }
    }

    @Test func packageThatRpmkeysCouldNotReadIsAnErrorAndNoBadSignature() async throws {
        try await ScratchDirectory.with { folder in
            let wanted = WantedFile(path: "x.rpm", sha256: String(repeating: "0", count: 64), byteCount: 5)
            let error = await #expect(throws: StageError.self) {
                _ = try await Downloader.with(SyncLimits()) { downloader in
                    try await downloader.isSigned(folder.appending("x.rpm"), as: wanted, keys: folder)
                }
            }
            #expect(error?.disposition == .retry(after: .seconds(60)), "\(error as Any)")
        }
    }
}
