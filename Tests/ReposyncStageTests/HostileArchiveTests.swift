import CrashModel
import Distributions
import Glibc
import Packages
import ReposyncStage
import SystemPackage
import TestFixtures
import Testing

@Suite struct HostileArchive {
    @Test func alteredInReleaseIsRefused() async throws {
        try await TestMirror.with { mirror in
            let file = mirror.list("InRelease")
            let text = String(decoding: try FolderContents.read(file), as: UTF8.self)
            let altered = text.split(separator: "Codename: bookworm").joined(separator: "Codename: bookworn")
            _ = try FolderContents.write(altered.utf8, to: file)
            let error = try #require(try await mirror.failure())
            #expect(error.code == .badSignature)
            #expect(error.reason.contains("altered"))
            #expect(SyncStatus(of: mirror.directory)?.failure == error.reason)
        }
    }

    @Test func textBeforeTheSignedPartIsNotBelieved() async throws {
        try await TestMirror.with { mirror in
            let file = mirror.list("InRelease")
            let date = "Date: \(DebianArchive.dateText(1))\nSuite: bookworm\nSHA256:\n"
            _ = try FolderContents.write(Array(date.utf8) + (try FolderContents.read(file)), to: file)
            // gpgv gives the signed text only, which is the honest one.
            #expect(try await mirror.synchronise().downloadedCount == 4)
        }
    }

    @Test func unsignedInReleaseIsRefused() async throws {
        try await TestMirror.with { mirror in
            _ = try FolderContents.write(try FolderContents.read(mirror.list("Release")), to: mirror.list("InRelease"))
            let error = try #require(try await mirror.failure())
            #expect(error.code == .badSignature)
        }
    }

    @Test func signatureOfAKeyThatThePluginDoesNotNameIsRefused() async throws {
        try await TestMirror.with { mirror in
            let stranger = try await SigningKey()
            try await mirror.archive.publish(signedBy: stranger)
            let error = try #require(try await mirror.failure())
            #expect(error.code == .badSignature)
            #expect(error.reason.contains("key that the distribution's plugin does not name"))
            try await stranger.remove()
        }
    }

    @Test func replayedOldInReleaseIsRefusedAndTheIndexStays() async throws {
        try await TestMirror.with { mirror in
            let now = Int64(time(nil))
            try await mirror.archive.publish(signedBy: mirror.key, date: now - 100)
            _ = try await mirror.synchronise()
            try await mirror.archive.publish(signedBy: mirror.key, date: now - 90_000)
            let error = try #require(try await mirror.failure())
            #expect(error.code == .badSignature)
            #expect(error.reason.contains("replay"))
            #expect(try #require(try PackageIndex(mirror.directory)).packages(named: "demo").count == 1)
            let status = try #require(SyncStatus(of: mirror.directory))
            #expect(status.failure != nil && status.lastSuccessAt != nil && status.packageCount == 4)
        }
    }

    @Test func expiredValidUntilIsRefused() async throws {
        try await TestMirror.with { mirror in
            let now = Int64(time(nil))
            try await mirror.archive.publish(signedBy: mirror.key, date: now - 1000, validUntil: now - 10)
            let error = try #require(try await mirror.failure())
            #expect(error.reason.contains("no longer valid"))
        }
    }

    @Test func expiredValidUntilIsARemarkWhereAptIsToldNotToMind() async throws {
        try await TestMirror.with { mirror in
            let now = Int64(time(nil))
            try await mirror.archive.publish(signedBy: mirror.key, date: now - 1000, validUntil: now - 10)
            let apt = AptSources(entries: [
                .init(
                    address: mirror.archive.folder.string, suites: ["bookworm"], components: ["main"],
                    checksValidUntil: false)
            ])
            let report = try await mirror.synchronise(from: ["host-apt-sources"], apt: apt)
            #expect(report.remarks.contains { $0.contains("Valid-Until") })
        }
    }

    @Test func futureDateIsRefused() async throws {
        try await TestMirror.with { mirror in
            try await mirror.archive.publish(signedBy: mirror.key, date: Int64(time(nil)) + 90_000)
            #expect(try #require(try await mirror.failure()).reason.contains("future"))
        }
    }

    @Test func anotherSuiteUnderThisNameIsRefused() async throws {
        try await TestMirror.with { mirror in
            try await mirror.archive.publish(signedBy: mirror.key, named: "trixie")
            #expect(try #require(try await mirror.failure()).reason.contains("not for bookworm"))
        }
    }

    @Test func alteredListOfPackagesIsRefused() async throws {
        try await TestMirror.with { mirror in
            let file = mirror.list("main/binary-amd64/Packages.xz")
            var bytes = try FolderContents.read(file)
            bytes[bytes.count / 2] ^= 1
            _ = try FolderContents.write(bytes, to: file)
            #expect(try #require(try await mirror.failure()).code == .alteredFile)
        }
    }

    @Test func alteredPackageIsRefusedAndNeverReachesThePool() async throws {
        try await TestMirror.with { mirror in
            let place = "pool/main/l/libdemo/libdemo_1.0-1_amd64.deb"
            let file = mirror.archive.folder.appending(place)
            var bytes = try FolderContents.read(file)
            bytes[bytes.count / 2] ^= 1
            _ = try FolderContents.write(bytes, to: file)
            let error = try #require(try await mirror.failure())
            #expect(error.code == .alteredFile)
            #expect(FolderContents.status(mirror.directory.path.appending(place)) == nil)
            let index = try #require(try PackageIndex(mirror.directory))
            #expect(try index.packages(named: "libdemo") == [] && index.packages(named: "demo").count == 1)
        }
    }

    @Test func truncatedPackageIsRetriedLater() async throws {
        try await TestMirror.with { mirror in
            let file = mirror.archive.folder.appending("pool/main/l/libdemo/libdemo_1.0-1_amd64.deb")
            _ = try FolderContents.write(try FolderContents.read(file).prefix(300), to: file)
            let error = try #require(try await mirror.failure())
            #expect(error.code == .mirrorsUnreachable)
            #expect(error.disposition != .failed)
        }
    }

    @Test(arguments: [
        "pool/../../../../tmp/evil.deb", "/etc/evil.deb", "pool//evil.deb", "pool/evil.deb/..", "pool/ev il.deb",
        "pool/evil.txt",
    ]) func fileNameThatLeavesTheMirrorIsRefused(_ name: String) async throws {
        try await TestMirror.with { mirror in
            try await mirror.archive.add(MadeDebianPackage("evil", version: "1"), fileName: name)
            try await mirror.archive.publish(signedBy: mirror.key)
            let error = try #require(try await mirror.failure())
            #expect(error.code == .metadataRefused)
        }
    }

    @Test func unknownPackageIsNamed() async throws {
        try await TestMirror.with { mirror in
            let error = try #require(try await mirror.failure(["demo", "nosuchthing"]))
            #expect(error.code == .unknownPackage)
            #expect(error.reason.contains("nosuchthing"))
        }
    }
}
