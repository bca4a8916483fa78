import ChrootStage
import CrashModel
import Packages
import SystemPackage
import TestFixtures
import Testing

@Suite struct AlternateDebugFileTests {
    private let named = "/usr/lib/debug/.build-id/ab/cd.debug"

    @Test func dwzFileOfTheSamePackageComesToo() async throws {
        try await DebianRelease.with { release in
            let debug = try await release.add(
                TestPackage(
                    "tool-dbg", "1-1",
                    [
                        "usr/lib/debug/.build-id/ab/cd.debug": .file(try debugFile("../../.dwz/tool", "0badcafe")),
                        "usr/lib/debug/.dwz/tool": .text("shared"), "usr/lib/debug/.dwz/other": .text("other"),
                    ]), files: [named])
            let root = try await release.root(of: [debug])
            #expect(contents(root.path.appending("usr/lib/debug/.dwz/tool")) == "shared")
            #expect(!exists(root.path.appending("usr/lib/debug/.dwz/other")))
            #expect(root.remarks == [])
        }
    }

    @Test func dwzFileOfAnotherResolvedPackageIsFoundByBuildID() async throws {
        try await DebianRelease.with { release in
            let debug = try await release.add(
                TestPackage(
                    "tool-dbg", "1-1",
                    ["usr/lib/debug/.build-id/ab/cd.debug": .file(try debugFile("/nowhere/dwz", "0badcafe"))]),
                files: [named])
            let common = try await release.add(
                TestPackage("common-dbg", "1-1", ["usr/lib/debug/.build-id/0b/adcafe.debug": .text("shared")]),
                files: [])
            let root = try await release.root(of: [debug, common])
            #expect(contents(root.path.pushing(FilePath("usr/lib/debug/.build-id/0b/adcafe.debug"))) == "shared")
            #expect(root.remarks == [])
        }
    }

    @Test func dwzFileOfAPackageThatWasNotResolvedIsFoundInTheIndex() async throws {
        try await DebianRelease.with { release in
            let debug = try await release.add(
                TestPackage(
                    "tool-dbg", "1-1",
                    ["usr/lib/debug/.build-id/ab/cd.debug": .file(try debugFile("../../.dwz/common", "0badcafe"))]),
                files: [named])
            let common = try await release.add(
                TestPackage("common-dbg", "1-1", ["usr/lib/debug/.dwz/common": .text("shared")]))
            let builder = try PackageIndexBuilder(for: release.mirror)
            try builder.add(
                IndexedPackage(
                    nevra: common.nevra, sha256: common.sha256, location: common.location, byteCount: 1,
                    kind: .debuginfo, source: SourcePackage(name: "common", version: "1-1")),
                files: [
                    IndexedPath(path: "/usr/lib/debug/.dwz/common", kind: .dwz, buildID: try BuildID("0badcafe"))
                ])
            _ = try builder.publish()
            let root = try await release.root(of: [debug])
            #expect(contents(root.path.appending("usr/lib/debug/.dwz/common")) == "shared")
            #expect(root.remarks == [])
        }
    }

    @Test func dwzFileThatIsNowhereIsRemarkedWithItsModule() async throws {
        try await DebianRelease.with { release in
            let debug = try await release.add(
                TestPackage(
                    "tool-dbg", "1-1",
                    ["usr/lib/debug/.build-id/ab/cd.debug": .file(try debugFile("../../.dwz/gone", "0badcafe"))]),
                files: [named])
            let root = try await release.root(
                of: [debug], modules: [release.module("/usr/bin/tool", debuginfo: (debug, named))])
            #expect(root.remarks.count == 1)
            #expect(root.remarks[0].contains("/usr/bin/tool") && root.remarks[0].contains("0badcafe"))
        }
    }

    @Test func hostileAlternateLinkDoesNotLeadOutside() async throws {
        try await DebianRelease.with { release in
            let outside = release.directory.appending("outside/secret")
            try write(Array("secret".utf8), to: outside)
            let debug = try await release.add(
                TestPackage(
                    "tool-dbg", "1-1",
                    [
                        "usr/lib/debug/.build-id/ab/cd.debug": .file(
                            try debugFile(String(repeating: "../", count: 30) + outside.string.dropFirst(), "0badcafe"))
                    ]), files: [named])
            let root = try await release.root(of: [debug])
            #expect(root.remarks.count == 1)
        }
    }

    @Test func damagedDebugFileIsLinkedAndRemarked() async throws {
        try await DebianRelease.with { release in
            let whole = try debugFile("../../.dwz/gone", "0badcafe")
            let debug = try await release.add(
                TestPackage(
                    "tool-dbg", "1-1", ["usr/lib/debug/.build-id/ab/cd.debug": .file(Array(whole.prefix(40)))]),
                files: [named])
            let root = try await release.root(of: [debug])
            #expect(root.remarks.count == 1 && root.remarks[0].contains("no usable debug file"))
            #expect(exists(root.path.pushing(FilePath("usr/lib/debug/.build-id/ab/cd.debug"))))
        }
    }

    /// An ELF file with nothing but a `.gnu_debugaltlink`.
    private func debugFile(_ path: String, _ buildID: String) throws -> [UInt8] {
        var file = ELFBuilder(type: 3)
        file.sections = [
            ELFBuilder.Section(".gnu_debugaltlink", Array(path.utf8) + [0] + (try BuildID(buildID)).bytes)
        ]
        return file.build()
    }
}

extension DebianRelease {
    fileprivate func root(
        of packages: [ResolvedPackage], modules: [ResolvedModule] = []
    ) async throws -> (path: FilePath, remarks: [String]) {
        let chroot = try await builder.build(resolution(packages, modules: modules), task: task)
        return (FilePath(chroot.crashRoot), chroot.remarks)
    }
}
