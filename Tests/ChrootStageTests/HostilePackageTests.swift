import ChrootStage
import CrashModel
import Glibc
import SystemPackage
import TestFixtures
import Testing

@Suite struct HostilePackageTests {
    @Test func linkOfOnePackageDoesNotLeadAnothersFilesOutside() async throws {
        try await DebianRelease.with { release in
            let outside = release.directory.appending("outside")
            try makeDirectories(outside)
            let first = try await release.add(
                TestPackage(
                    "first", "1-1",
                    ["usr/share/absolute": .link(outside.string), "usr/share/relative": .link("../../../../outside")]))
            let second = try await release.add(
                TestPackage(
                    "second", "1-1",
                    ["usr/share/absolute/a": .text("evil"), "usr/share/relative/b": .text("evil")]))
            let chroot = try await release.builder.build(
                release.resolution([first, second]), task: release.task)
            #expect(!exists(outside.appending("a")) && !exists(outside.appending("b")))
            #expect(chroot.remarks.count == 1 && chroot.remarks[0].contains("second-1-1.amd64 has 2 files"))
        }
    }

    @Test func namedFilesAreNotFollowedOutside() async throws {
        try await DebianRelease.with { release in
            let outside = release.directory.appending("outside")
            try write(Array("secret".utf8), to: outside.appending("secret"))
            let names = ["/usr/lib/debug/up.debug", "/usr/lib/debug/absolute.debug", "/usr/lib/debug/through/secret"]
            let debug = try await release.add(
                TestPackage(
                    "evil-dbg", "1-1",
                    [
                        "usr/lib/debug/up.debug": .link(
                            String(repeating: "../", count: 20) + outside.appending("secret").string.dropFirst()),
                        "usr/lib/debug/absolute.debug": .link(outside.appending("secret").string),
                        "usr/lib/debug/through": .link(outside.string),
                    ]), files: names + ["/usr/lib/debug/../../../../outside/secret", "/"])
            let chroot = try await release.builder.build(release.resolution([debug]), task: release.task)
            #expect(chroot.remarks.count == 5 && chroot.remarks.allSatisfy { $0.contains("does not hold") })
            let root = FilePath(chroot.crashRoot)
            #expect(!exists(root.pushing(outside.appending("secret").removingRoot())))
        }
    }

    @Test func linksInACircleEnd() async throws {
        try await DebianRelease.with { release in
            let debug = try await release.add(
                TestPackage(
                    "evil-dbg", "1-1",
                    ["usr/lib/debug/a.debug": .link("b.debug"), "usr/lib/debug/b.debug": .link("a.debug")]),
                files: ["/usr/lib/debug/a.debug"])
            let chroot = try await release.builder.build(release.resolution([debug]), task: release.task)
            #expect(chroot.remarks.contains { $0.contains("does not hold /usr/lib/debug/a.debug") })
        }
    }

    @Test func removalLeavesWhatLinksLeadTo() async throws {
        try await DebianRelease.with { release in
            let outside = release.directory.appending("outside")
            try write(Array("kept".utf8), to: outside.appending("file"))
            let evil = try await release.add(
                TestPackage("evil", "1-1", ["usr/share/out": .link(outside.string)]))
            let chroot = try await release.builder.build(release.resolution([evil]), task: release.task)
            #expect(target(FilePath(chroot.crashRoot).appending("usr/share/out")) == outside.string)
            try await release.builder.removeCrashRoot(of: release.task)
            #expect(!exists(FilePath(chroot.crashRoot)))
            #expect(contents(outside.appending("file")) == "kept")
        }
    }
}
