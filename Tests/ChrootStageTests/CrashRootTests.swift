import ChrootStage
import CrashModel
import Glibc
import Packages
import SystemPackage
import TestFixtures
import Testing

@Suite struct CrashRootTests {
    @Test func rootIsExactlyTheResolvedPackages() async throws {
        try await DebianRelease.with { release in
            let tool = try await release.add(
                TestPackage("tool", "1-1", ["bin/tool": .text("tool"), "lib/x86_64-linux-gnu/liba.so": .text("a")]))
            try await release.add(TestPackage("other", "1-1", ["usr/bin/other": .text("other")]))
            let chroot = try await release.builder.build(release.resolution([tool]), task: release.task)
            let root = FilePath(chroot.crashRoot)
            #expect(contents(root.appending("usr/bin/tool")) == "tool")
            #expect(contents(root.appending("usr/lib/x86_64-linux-gnu/liba.so")) == "a")
            // Both spellings of a merged /usr are one place.
            #expect(target(root.appending("lib")) == "usr/lib")
            #expect(contents(root.appending("bin/tool")) == "tool")
            #expect(!exists(root.appending("usr/bin/other")) && !exists(root.appending("usr/bin/gdb")))
            #expect(try status(root).st_mode & 0o7777 == 0o755)
            #expect(try status(root.appending("usr/lib/x86_64-linux-gnu")).st_mode & 0o777 == 0o755)
            #expect(chroot.remarks == [])
            #expect(chroot.debugger?.package.name == "gdb")
        }
    }

    @Test func filesAreHardLinksIntoTheStore() async throws {
        try await DebianRelease.with { release in
            let tool = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("tool")]))
            let chroot = try await release.builder.build(release.resolution([tool]), task: release.task)
            let other = try await release.builder.build(
                release.resolution([tool]), task: try TaskID("987654321"))
            let left = try status(FilePath(chroot.crashRoot).appending("usr/bin/tool"))
            let right = try status(FilePath(other.crashRoot).appending("usr/bin/tool"))
            #expect(left.st_ino == right.st_ino && left.st_nlink == 3)
        }
    }

    @Test func debuginfoGivesOnlyNamedFilesAndScriptsForGdb() async throws {
        try await DebianRelease.with { release in
            let named = "/usr/lib/debug/.build-id/ab/cd.debug"
            let script = "usr/share/gdb/auto-load/usr/bin/tool-gdb.py"
            let debug = try await release.add(
                TestPackage(
                    "tool-dbg", "1-1",
                    [
                        "usr/lib/debug/.build-id/ab/cd.debug": .link("../../tool.debug"),
                        "usr/lib/debug/tool.debug": .text("dwarf"), script: .text("pass"),
                        "usr/lib/debug/.build-id/ef/01.debug": .text("not asked for"),
                        "usr/share/doc/tool-dbg/copyright": .text("not asked for"),
                    ]), files: [named])
            let module = release.module("/usr/bin/tool", debuginfo: (debug, named))
            let chroot = try await release.builder.build(
                release.resolution([debug], modules: [module]), task: release.task)
            let root = FilePath(chroot.crashRoot)
            #expect(contents(root.pushing(FilePath("usr/lib/debug/.build-id/ab/cd.debug"))) == "dwarf")
            #expect(contents(root.pushing(FilePath(script))) == "pass")
            #expect(!exists(root.appending("usr/lib/debug/.build-id/ef")))
            #expect(!exists(root.appending("usr/share/doc")))
            #expect(chroot.remarks == [])
        }
    }

    @Test func fileOfTwoPackagesIsTheFirstPackagesAndRemarked() async throws {
        try await DebianRelease.with { release in
            let shared = "usr/share/tool/data"
            let old = try await release.add(
                TestPackage("tool", "1-1", [shared: .text("old"), "usr/share/link": .link("tool")]))
            let new = try await release.add(
                TestPackage("tool", "2-1", [shared: .text("new"), "usr/share/link": .link("tool")]))
            let chroot = try await release.builder.build(release.resolution([old, new]), task: release.task)
            #expect(contents(FilePath(chroot.crashRoot).appending(shared)) == "old")
            // Two links to one place are no conflict.
            #expect(chroot.remarks.count == 1)
            #expect(chroot.remarks[0].contains("tool-2-1.amd64 has a file") && chroot.remarks[0].contains("/" + shared))
        }
    }

    @Test func packageThatIsNotInTheMirrorCostsItsModulesOnly() async throws {
        try await DebianRelease.with { release in
            let tool = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("tool")]))
            let gone = try await release.add(TestPackage("gone", "1-1", ["usr/lib/libgone.so": .text("gone")]))
            #expect(unlink(release.mirror.path.appending(gone.location).string) == 0)
            let modules = [
                release.module("/usr/bin/tool", binary: (tool, "/usr/bin/tool")),
                release.module("/usr/lib/libgone.so", binary: (gone, "/usr/lib/libgone.so")),
            ]
            let chroot = try await release.builder.build(
                release.resolution([gone, tool], modules: modules), task: release.task)
            #expect(contents(FilePath(chroot.crashRoot).appending("usr/bin/tool")) == "tool")
            #expect(chroot.remarks.count == 1)
            #expect(chroot.remarks[0].contains("gone-1-1.amd64 was left out"))
            #expect(chroot.remarks[0].contains("/usr/lib/libgone.so is not there"))
            // Nothing in a sentence for the public names the server's directories.
            #expect(!chroot.remarks[0].contains(release.directory.string))
        }
    }

    @Test func alteredAndOutsidePackagesCostTheirModulesOnly() async throws {
        try await DebianRelease.with { release in
            let altered = try await release.add(TestPackage("altered", "1-1", ["usr/bin/a": .text("a")]))
            try append("x", to: release.mirror.path.appending(altered.location))
            let outside = ResolvedPackage(
                nevra: altered.nevra, sha256: altered.sha256, location: "../../outside.deb", role: .binary, files: nil)
            let chroot = try await release.builder.build(release.resolution([altered, outside]), task: release.task)
            #expect(chroot.remarks.count == 3)
            #expect(chroot.remarks[2].contains("addresses"))
        }
    }

    @Test func noPackageAtAllIsStillARoot() async throws {
        try await DebianRelease.with { release in
            let chroot = try await release.builder.build(release.resolution([]), task: release.task)
            #expect(exists(FilePath(chroot.crashRoot).appending("tmp")))
            #expect(chroot.remarks.count == 1 && chroot.remarks[0].contains("addresses"))
        }
    }

    @Test func namedFileThatThePackageLacksIsRemarked() async throws {
        try await DebianRelease.with { release in
            let named = "/usr/lib/debug/.build-id/ab/cd.debug"
            let debug = try await release.add(
                TestPackage("tool-dbg", "1-1", ["usr/lib/debug/x": .text("x")]), files: [named])
            let tool = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("tool")]))
            let module = release.module(
                "/usr/bin/other", binary: (tool, "/usr/bin/other"), debuginfo: (debug, named))
            let chroot = try await release.builder.build(
                release.resolution([tool, debug], modules: [module]), task: release.task)
            #expect(chroot.remarks.contains { $0.contains("does not hold \(named)") })
            #expect(chroot.remarks.contains { $0.contains("/usr/bin/other is without debuginfo") })
            #expect(chroot.remarks.contains { $0.contains("/usr/bin/other is not there") })
        }
    }

    @Test func binaryIsPutWhereTheCoreHasIt() async throws {
        try await DebianRelease.with { release in
            let tool = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("tool")]))
            let modules = ["/opt/copy/tool", "/usr/lib/debug/tool", "/etc/../x", "relative", "/proc/tool", "/.retrace"]
                .map {
                    release.module($0, binary: (tool, "/usr/bin/tool"))
                }
            let chroot = try await release.builder.build(
                release.resolution([tool], modules: modules), task: release.task)
            let root = FilePath(chroot.crashRoot)
            #expect(contents(root.appending("opt/copy/tool")) == "tool")
            #expect(!exists(root.appending("usr/lib/debug")) && !exists(root.appending("proc/tool")))
            #expect(!exists(root.appending("x")) && !exists(root.appending(".retrace")))
            #expect(chroot.remarks.count == 5 && chroot.remarks.allSatisfy { $0.contains("only as /usr/bin/tool") })
        }
    }
}
