import CrashModel
import Packages
import ReposyncStage
import Subprocess
import SystemPackage
import TestFixtures
import Testing

/// Repositories that are indexed whole and fetched package by package.
extension RPMDirectory {
    private static let lazy = ", mirror: lazy"

    /// What a crash in the packages needs, as the resolver says it.
    func resolution(_ names: [String], _ folder: FilePath) throws -> Resolution {
        let index = try #require(try PackageIndex(mirror(folder)))
        let packages = try names.flatMap { try index.packages(named: $0) }.map {
            ResolvedPackage(nevra: $0.nevra, sha256: $0.sha256, location: $0.location, role: .binary, files: nil)
        }
        try #require(packages.count == names.count)
        return Resolution(
            releaseID: try ReleaseID("fedora-40-x86_64"), releaseEvidence: "a test", modules: [], packages: packages)
    }

    private func fetch(_ names: [String], _ folder: FilePath) async throws -> FetchReport {
        var limits = SyncLimits()
        limits.silenceSeconds = 2
        return try await fetchPackages(
            of: try resolution(names, folder), catalog: try catalog(folder), repositories: folder.appending("mirror"),
            limits: limits
        ) { _, _ in }
    }

    private func pool(_ folder: FilePath) async throws -> [String] {
        let found = try await Subprocess.run(
            .name("find"), arguments: [try mirror(folder).pool.string, "-name", "*.rpm", "-printf", "%f\n"],
            output: .string(limit: 65536))
        return found.standardOutput.split(separator: "\n").map(String.init).sorted()
    }

    @Test func lazyRepositoryIsIndexedWholeAndOnlyTheDebuggerIsFetched() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top", "bottom", "side"], in: folder)
            let report = try await sync(folder, [], more: Self.lazy)
            #expect(report.downloadedCount == 1 && report.index.packageCount == 3, "\(report)")
            #expect(try await pool(folder) == ["top-1.0-1.fc40.noarch.rpm"])
            let status = try #require(SyncStatus(of: try mirror(folder)))
            let fetched = try #require(FolderContents.status(folder.appending("repo/top-1.0-1.fc40.noarch.rpm")))
            #expect(status.packageCount == 3 && Int64(status.byteCount) == fetched.size)
            // The same again is done at once, though two packages of the index are not there.
            let before = FolderContents.status(try mirror(folder).index)?.inode
            #expect(try await sync(folder, [], more: Self.lazy).index == report.index)
            #expect(FolderContents.status(try mirror(folder).index)?.inode == before)
        }
    }

    @Test func packageIsFetchedAndVerifiedOnFirstNeedAndStays() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top", "bottom", "side"], in: folder)
            _ = try await sync(folder, [], more: Self.lazy)
            async let one = fetch(["bottom", "top"], folder)
            async let other = fetch(["bottom"], folder)
            let reports = try await [one, other]
            #expect(reports.allSatisfy { $0.remarks.isEmpty })
            #expect(reports.contains { $0.byteCount > 0 })
            let both = ["bottom-1.0-1.fc40.noarch.rpm", "top-1.0-1.fc40.noarch.rpm"]
            #expect(try await pool(folder) == both)
            // It stays when the repository has lost it.
            try FolderContents.remove(folder.appending("repo/bottom-1.0-1.fc40.noarch.rpm"))
            try await describe(folder, at: 1_700_000_001)
            let report = try await sync(folder, [], more: Self.lazy)
            #expect(report.index.packageCount == 3)
            #expect(try await pool(folder) == both)
            #expect(try await fetch(["bottom"], folder) == FetchReport())
        }
    }

    @Test func unsignedPackageIsRefusedWhenItIsNeeded() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top"], in: folder)
            try await make("unsigned", in: folder)
            try await describe(folder, at: 1_700_000_001)
            _ = try await sync(folder, [], more: Self.lazy)
            let report = try await fetch(["unsigned"], folder)
            #expect(report.remarks.count == 1 && report.fetched.isEmpty && !report.mayComeLater)
            #expect(report.remarks.first?.contains("no good signature") == true, "\(report)")
            #expect(try await pool(folder) == ["top-1.0-1.fc40.noarch.rpm"])
        }
    }

    @Test func optionalRepositoryThatIsDownForAMomentKeepsItsOffers() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top", "bottom"], in: folder)
            let server = try await FolderServer(folder.appending("repo"))
            let more = Self.lazy + ", optional: true"
            let good = try await sync(folder, [], more: more, at: server.address)
            #expect(good.index.packageCount == 2)
            try await server.stop()
            let error = await #expect(throws: StageError.self) {
                _ = try await sync(folder, [], more: more, at: server.address)
            }
            #expect(error?.disposition == .retry(after: .seconds(60)), "\(error as Any)")
            #expect(try PackageIndex(mirror(folder))?.summary == good.index)
            #expect(SyncStatus(of: try mirror(folder))?.failure != nil)
        }
    }

    @Test func alteredPackageIsRefusedAndOneThatDoesNotComeMayComeLater() async throws {
        try await ScratchDirectory.with { folder in
            try await prepare(["top", "bottom", "side"], in: folder)
            let bottom = "bottom-1.0-1.fc40.noarch.rpm"
            let server = try await FolderServer(
                folder.appending("repo"), cut: ["side-1.0-1.fc40.noarch.rpm": 100], silent: [bottom])
            _ = try await sync(folder, [], more: Self.lazy, at: server.address)
            var report = try await fetch(["bottom", "side"], folder)
            #expect(report.mayComeLater && report.remarks.count == 2, "\(report)")
            #expect(report.remarks.allSatisfy { $0.contains("could not be fetched: No mirror gave") }, "\(report)")
            try await server.stop()

            var bytes = try FolderContents.read(folder.appending("repo/\(bottom)"))
            bytes[bytes.count / 2] ^= 1
            try FolderContents.write(bytes, to: folder.appending("repo/\(bottom)"))
            _ = try await sync(folder, [], more: Self.lazy)
            report = try await fetch(["bottom"], folder)
            #expect(!report.mayComeLater && report.remarks.first?.contains("is not what") == true, "\(report)")
            // What was broken off before went on where it stopped.
            #expect(try await fetch(["side"], folder).fetched.count == 1)
            #expect(try await pool(folder) == ["side-1.0-1.fc40.noarch.rpm", "top-1.0-1.fc40.noarch.rpm"])
        }
    }
}
