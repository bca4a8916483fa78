import CrashModel
import Glibc
import Packages
import ReposyncStage
import Synchronization
import SystemPackage
import TestFixtures
import Testing

@Suite struct Mirrors {
    @Test func nextMirrorIsAskedWhenOneIsDown() async throws {
        try await TestMirror.with { mirror in
            let server = try await FolderServer(mirror.archive.folder)
            let report = try await mirror.synchronise(
                from: ["http://127.0.0.1:1/debian", "/nonexistent", server.address])
            #expect(report.downloadedCount == 4)
            try await server.stop()
        }
    }

    @Test func everyMirrorDownIsAnErrorThatIsTriedAgain() async throws {
        try await TestMirror.with { mirror in
            let error = try #require(try await mirror.failure(from: ["http://127.0.0.1:1/debian", "/nonexistent"]))
            #expect(error.code == .mirrorsUnreachable)
            #expect(error.disposition == .retry(after: .seconds(60)))
            #expect(error.reason.contains("127.0.0.1:1"))
        }
    }

    @Test func optionalRepositoryThatIsDownIsLeftOutAndNotAskedAgainAtOnce() async throws {
        try await TestMirror.with { mirror in
            let server = try await FolderServer(mirror.folder)
            let optional =
                "  - { name: extra, suite: extra, components: [main], optional: true, mirrors: ['\(server.address)'] }\n"
            let first = try await mirror.synchronise(plugin: optional)
            #expect(first.downloadedCount == 4)
            #expect(first.remarks.contains { $0.contains("'extra' was left out") })
            #expect(server.takeRequests().count == 1)
            let second = try await mirror.synchronise(plugin: optional)
            #expect(second.remarks.contains { $0.contains("'extra' was left out") })
            #expect(server.takeRequests().isEmpty)
            try await server.stop()
        }
    }

    /// Reading a folder is reading its mirror: the error is not of the disk that packages are put on.
    @Test func folderThatCannotBeReadIsAMirrorThatFailsAndTheNextOneIsAsked() async throws {
        try await TestMirror.with { mirror in
            let broken = mirror.folder.appending("broken")
            try copyFolder(mirror.archive.folder, to: broken)
            let place = broken.appending("pool/main/l/libdemo/libdemo_1.0-1_amd64.deb")
            try FolderContents.remove(place)
            try DebianArchive.makeDirectories(place)
            let report = try await mirror.synchronise(from: [broken.string, mirror.archive.folder.string])
            #expect(report.downloadedCount == 4)
        }
    }

    @Test func optionalSuiteWithoutAListForTheArchitectureIsLeftOut() async throws {
        try await TestMirror.with { mirror in
            let optional =
                "  - { name: extra, suite: bookworm, components: [contrib], optional: true, mirrors: ['\(mirror.archive.folder)'] }\n"
            let report = try await mirror.synchronise(plugin: optional)
            #expect(report.downloadedCount == 4)
            #expect(
                report.remarks.contains { $0.contains("'extra' was left out: Suite bookworm has no list") }, "\(report)"
            )
        }
    }

    @Test func packageThatOneMirrorAlteredComesFromTheNext() async throws {
        try await TestMirror.with { mirror in
            let liar = mirror.folder.appending("liar")
            try copyFolder(mirror.archive.folder, to: liar)
            let place = "pool/main/l/libdemo/libdemo_1.0-1_amd64.deb"
            var bytes = try FolderContents.read(liar.appending(place))
            bytes[bytes.count / 2] ^= 1
            _ = try FolderContents.write(bytes, to: liar.appending(place))
            let report = try await mirror.synchronise(from: [liar.string, mirror.archive.folder.string])
            #expect(report.downloadedCount == 4)
        }
    }

    @Test func brokenOffDownloadIsContinuedWhereItStopped() async throws {
        try await TestMirror.with { mirror in
            let name = "libdemo_1.0-1_amd64.deb"
            let cutting = try await FolderServer(mirror.archive.folder, cut: [name: 700])
            let whole = try await FolderServer(mirror.archive.folder)
            let report = try await mirror.synchronise(from: [cutting.address, whole.address])
            #expect(report.downloadedCount == 4)
            let ranges = whole.takeRequests().filter { $0.path.hasSuffix(name) }.map(\.range)
            #expect(ranges == ["bytes=1400-"])
            try await cutting.stop()
            try await whole.stop()
        }
    }

    @Test func partialFileOfOtherContentIsThrownAway() async throws {
        try await TestMirror.with { mirror in
            let server = try await FolderServer(mirror.archive.folder)
            let place = mirror.directory.path.appending("pool/main/l/libdemo")
            try DebianArchive.makeDirectories(place)
            _ = try FolderContents.write(
                [UInt8](repeating: 7, count: 100), to: place.appending("libdemo_1.0-1_amd64.deb.partial"))
            let report = try await mirror.synchronise(from: [server.address])
            #expect(report.downloadedCount == 4)
            try await server.stop()
        }
    }

    @Test func secondSynchronisationOfTheSameReleaseIsToldToWait() async throws {
        try await TestMirror.with { mirror in
            let path = mirror.directory.path
            try DebianArchive.makeDirectories(path)
            let holder = open(path.appending("lock").string, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            try #require(holder >= 0)
            #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
            let error = try #require(try await mirror.failure())
            #expect(error.code == .synchronisationRunning)
            #expect(error.disposition == .retry(after: .seconds(60)))
            // The kernel takes the lock back when its last holder is gone; a child that another test starts this moment has
            // the descriptor too until its exec.
            flock(holder, LOCK_UN)
            close(holder)
            #expect(try await mirror.failure() == nil)
        }
    }

    private func copyFolder(_ source: FilePath, to copy: FilePath) throws {
        let packages = [
            "d/demo/demo_1.0-1", "l/libdemo/libdemo_1.0-1", "l/libdemo-dbg/libdemo-dbg_1.0-1", "g/gdb/gdb_13.1-3",
        ]
        let places =
            ["dists/bookworm/InRelease", "dists/bookworm/main/binary-amd64/Packages.xz"]
            + packages.map { "pool/main/\($0)_amd64.deb" }
        for place in places {
            try DebianArchive.makeDirectories(copy.appending(place).removingLastComponent())
            try FolderContents.write(try FolderContents.read(source.appending(place)), to: copy.appending(place))
        }
    }
}
