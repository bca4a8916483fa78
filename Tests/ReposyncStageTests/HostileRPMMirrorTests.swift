import CrashModel
import Packages
import ReposyncStage
import Subprocess
import SystemPackage
import TestFixtures
import Testing

/// Mirrors of RPMs that lie, stall or break off: the last good index stays in service, and no byte of theirs is in the pool.
extension RPMDirectory {
    /// A mirror that was good once, then got `bottom` besides.
    private func withGrownMirror(
        _ body: (FilePath, PackageIndexSummary) async throws -> Void
    ) async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            let good = try await sync(folder, [])
            try await make("bottom", in: folder)
            try await describe(folder, at: 1_700_000_001)
            try await body(folder, good.index)
            #expect(try PackageIndex(mirror(folder))?.summary.packageCount == good.index.packageCount)
            #expect(try PackageIndex(mirror(folder))?.packages(named: "bottom") == [])
            let status = try #require(SyncStatus(of: try mirror(folder)))
            #expect(status.failure != nil && status.lastSuccessAt != nil)
            let pool = try await Subprocess.run(
                .name("find"), arguments: [try mirror(folder).pool.string, "-name", "*.rpm"],
                output: .string(limit: 65536))
            #expect(pool.standardOutput.split(separator: "\n").count == 1)
        }
    }

    func failure(
        _ folder: FilePath, at address: String? = nil, limits: SyncLimits = SyncLimits()
    ) async throws -> StageError {
        do {
            _ = try await sync(folder, [], gpgcheck: false, at: address, limits: limits)
        } catch let error as StageError {
            return error
        }
        return try #require(nil as StageError?, "the mirror was believed")
    }

    @Test func alteredPackageIsRefusedAndTheIndexStays() async throws {
        try await withGrownMirror { folder, _ in
            let file = folder.appending("repo/bottom-1.0-1.fc40.noarch.rpm")
            var bytes = try FolderContents.read(file)
            bytes[bytes.count - 20] ^= 1
            try FolderContents.write(bytes, to: file)
            let error = try await failure(folder)
            #expect(error.code == .alteredFile && error.reason.contains("another SHA-256"), "\(error)")
        }
    }

    /// A mirror in the middle of an update must not keep thousands of new packages from a release.
    @Test func onePackageThatNoMirrorGivesKeepsNoOtherFromTheIndex() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top", "bottom", "side", "other"], in: folder)
            try FolderContents.write("altered".utf8, to: folder.appending("repo/bottom-1.0-1.fc40.noarch.rpm"))
            try FolderContents.remove(folder.appending("repo/side-1.0-1.fc40.noarch.rpm"))
            let error = try await failure(folder)
            #expect(error.reason.contains("2 of 4 packages could not be fetched"), "\(error)")
            #expect(error.reason.contains("bottom-1.0") && error.reason.contains("side-1.0"), "\(error)")
            #expect(error.disposition == .retry(after: .seconds(60)))
            let index = try #require(try PackageIndex(mirror(folder)))
            for name in ["top", "other"] { #expect(try index.packages(named: name).count == 1) }
            for name in ["bottom", "side"] { #expect(try index.packages(named: name) == []) }
            #expect(SyncStatus(of: try mirror(folder))?.failure == error.reason)
            // The same metadata is no reason to do nothing while packages are missing.
            #expect(try await failure(folder).reason.contains("2 of 2 packages"))
            try await make("bottom", in: folder)
            try await make("side", in: folder)
            try await describe(folder, at: 1_700_000_001)
            #expect(try await sync(folder, [], gpgcheck: false).index.packageCount == 4)
        }
    }

    @Test func packageThatBreaksOffIsRefusedAndTheIndexStays() async throws {
        try await withGrownMirror { folder, _ in
            let server = try await FolderServer(folder.appending("repo"), cut: ["bottom-1.0-1.fc40.noarch.rpm": 900])
            let error = try await failure(folder, at: server.address)
            #expect(error.code == .mirrorsUnreachable && error.reason.contains("bottom-1.0"), "\(error)")
            try await server.stop()
        }
    }

    @Test func silentMirrorIsGivenUpAndTheNextOneIsAsked() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            let silent = try await FolderServer(folder.appending("repo"), silent: [".rpm"])
            let mute = try await FolderServer(folder.appending("repo"), silent: ["repomd.xml"])
            var limits = SyncLimits()
            limits.silenceSeconds = 1
            let addresses = "\(mute.address)', '\(silent.address)', '\(folder)/repo"
            let report = try await sync(folder, [], at: addresses, limits: limits)
            #expect(report.downloadedCount == 1 && report.index.packageCount == 1)
            #expect(!silent.takeRequests().isEmpty && !mute.takeRequests().isEmpty)
            try await silent.stop()
            try await mute.stop()
        }
    }

    @Test func silentMirrorAloneIsAnErrorThatNamesItAndTheIndexStays() async throws {
        try await withGrownMirror { folder, _ in
            let server = try await FolderServer(folder.appending("repo"), silent: [".rpm"])
            var limits = SyncLimits()
            limits.silenceSeconds = 1
            let error = try await failure(folder, at: server.address, limits: limits)
            #expect(error.code == .mirrorsUnreachable && error.reason.contains(server.address), "\(error)")
            try await server.stop()
        }
    }

    /// A few kilobytes that become gigabytes.
    @Test func metadataThatIsABombIsRefusedBeforeItFillsTheMemory() async throws {
        try await withGrownMirror { folder, _ in
            try await tool([
                "sh", "-ec",
                """
                cd '\(folder)/repo/repodata'
                rm *
                (
                    echo '<?xml version="1.0" encoding="UTF-8"?><metadata xmlns="http://linux.duke.edu/metadata/common">'
                    head -c 300000000 /dev/zero | tr '\\0' ' '
                ) | gzip -c > primary.xml.gz
                """,
            ])
            try await announce("primary.xml.gz", in: folder, at: 1_700_000_002)
            var limits = SyncLimits()
            limits.listBytes = 64 << 20
            let error = try await failure(folder, limits: limits)
            #expect(error.reason.contains("too large"), "\(error)")
        }
    }

    @Test func packageWhoseMetadataGivesItAnotherNameGoesByItsOwn() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            // The metadata says that it is `glibc`; the signed header says what it is.
            try await tool([
                "sh", "-ec",
                """
                cd '\(folder)/repo/repodata'
                for file in *-primary.xml.gz; do gzip -dc "$file" | sed 's,<name>top</name>,<name>glibc</name>,' > primary.xml; done
                rm *.gz *.bz2 repomd.xml
                """,
            ])
            try await announce("primary.xml", in: folder)
            _ = try await sync(folder, [])
            let index = try #require(try PackageIndex(mirror(folder)))
            #expect(try index.packages(named: "glibc") == [] && index.packages(named: "top").count == 1)
        }
    }
}
