import ChrootStage
import CrashModel
import Distributions
import Glibc
import Packages
import SystemPackage
import TestFixtures
import Testing

@Suite struct KernelDebuggerTests {
    @Test func releasesOwnCrashIsApartFromGdb() async throws {
        try await DebianRelease.with { release in
            try await release.addCrash()
            try release.installCrash()
            let gdb = try await release.builder.debuggerRoot(for: release.releaseID)
            let chroot = try await release.kernelChroot()
            #expect(chroot.remarks.count == 1 && chroot.debugger.package.description == "crash-8.0.2-1.amd64")
            #expect(chroot.debugger.directory.contains("/\(release.releaseID).kernel-"))
            #expect(chroot.debugger.loader == "/usr/lib/x86_64-linux-gnu/ld.so.2")
            // Neither takes the other's place.
            #expect(try await release.builder.debuggerRoot(for: release.releaseID) == gdb)
            #expect(try await release.kernelChroot() == chroot)
            #expect(try await release.builder.sweep(olderThan: .seconds(-1)) { _ in true } == [])
        }
    }

    @Test func replacedRootsOfCrashAreSwept() async throws {
        try await DebianRelease.with { release in
            try await release.addCrash()
            let old = FilePath(try await release.kernelChroot().debugger.directory)
            try await release.add(
                TestPackage("libc6", "2.36-10", ["lib64/ld.so.2": .file(ELFBuilder(type: 3).build())]))
            try await release.builder.removeCrashRoot(of: release.task)
            let new = FilePath(try await release.kernelChroot().debugger.directory)
            #expect(old != new)
            let removed = try await release.builder.sweep(olderThan: .seconds(-1)) { _ in true }
            #expect(removed == [old.lastComponent?.string].compactMap(\.self) && exists(new))
        }
    }

    @Test func mirrorWithoutCrashFallsBackToTheHostsAndSaysSo() async throws {
        try await DebianRelease.with { release in
            try release.installCrash()
            let chroot = try await release.kernelChroot()
            #expect(chroot.debugger.package.description == "crash-8.0.2-1.amd64")
            #expect(chroot.remarks.contains { $0.hasSuffix("The server's own crash-8.0.2-1.amd64 was used instead.") })
            let root = FilePath(chroot.debugger.directory)
            #expect(chroot.debugger.executable == "/usr/bin/crash" && chroot.debugger.loader == "/usr/lib64/ld.so.2")
            #expect(chroot.debugger.libraryPath == ["/usr/lib64", "/usr/lib"])
            // The host's files are copied, and nothing but them is there.
            #expect(regularFiles(below: root) == ["usr/bin/crash", "usr/lib64/ld.so.2"])
            #expect(try status(root.appending("usr/bin/crash")).st_mode & 0o777 == 0o755)
        }
    }

    @Test func hostsCrashIsCopiedAgainWhenItChanges() async throws {
        try await DebianRelease.with { release in
            try release.installCrash()
            let first = try await release.kernelChroot().debugger
            let inode = try status(FilePath(first.directory)).st_ino
            #expect(try await release.kernelChroot().debugger == first)
            #expect(try status(FilePath(first.directory)).st_ino == inode)
            let moment = timespec(tv_sec: 1_000_000_000, tv_nsec: 0)
            #expect(utimensat(AT_FDCWD, release.host.appending("usr/bin/crash").string, [moment, moment], 0) == 0)
            let second = try await release.kernelChroot().debugger
            #expect(second.directory != first.directory && exists(FilePath(second.directory)))
            let removed = try await release.builder.sweep(olderThan: .seconds(-1)) { _ in true }
            #expect(removed == [FilePath(first.directory).lastComponent?.string].compactMap(\.self))
        }
    }

    @Test func packageManagersThatDoNotKnowTheProgramAreNotQuoted() async throws {
        try await DebianRelease.with { release in
            try release.installCrash(dpkg: false)
            #expect(try await release.kernelChroot().debugger.package.description == "crash-of-the-host.x86_64")
            try release.installCrash()
            try write(Array("/usr/bin/other\n".utf8), to: release.host.appending("var/lib/dpkg/info/crash.list"))
            #expect(try await release.kernelChroot().debugger.package.description == "crash-of-the-host.x86_64")
        }
    }

    @Test func withoutAnyCrashTheAdviceNamesBothWays() async throws {
        try await DebianRelease.with { release in
            let error = await release.failure()
            #expect(error?.code == .debuggerNotMirrored && error?.stage == .build)
            #expect(error?.advice?.contains("retrace sync debian 12 x86_64 crash") == true)
            #expect(error?.advice?.contains("install crash on the chroot builder's host") == true)
        }
    }

    @Test func absenceIsRememberedUntilTheMetadataChange() async throws {
        try await DebianRelease.with { release in
            let first = await release.failure()
            let note = release.store.directory.appending("debuggers/\(release.releaseID).kernel.none.json")
            #expect(contents(note)?.contains("crash") == true)
            // The same metadata are not read again: what was written down is told.
            let text = try #require(contents(note)).replacing(/"detail" : ".*"/, with: "\"detail\" : \"as known\"")
            try write(Array(text.utf8), to: note)
            #expect(await release.failure()?.reason.hasSuffix("to look at the crash with: as known.") == true)
            #expect(first?.code == .debuggerNotMirrored)
            try await release.addCrash()
            #expect(await release.failure() == nil)
        }
    }

    @Test func hostsCrashOfAnotherArchitectureIsNone() async throws {
        try await DebianRelease.with { release in
            try release.installCrash(machine: 183)
            #expect(await release.failure()?.code == .debuggerNotMirrored)
        }
    }

    @Test func hostsCrashThatLacksALibraryIsNamed() async throws {
        try await DebianRelease.with { release in
            try release.installCrash()
            #expect(unlink(release.host.appending("lib64/ld.so.2").string) == 0)
            let error = await release.failure()
            #expect(error?.code == .debuggerUnusable && error?.reason.contains("/usr/bin/crash") == true)
        }
    }

    @Test func pluginMayNameTheHostsOwn() async throws {
        try await DebianRelease.with { release in
            try await release.addCrash()
            let plugins = release.directory.appending("plugins")
            var checkout = FilePath(#filePath)
            for _ in 0..<3 { checkout.removeLastComponent() }
            let shipped = try FolderContents.read(checkout.appending("plugins/debian.yaml"))
            try write(shipped, to: plugins.appending("debian.yaml"))
            try write(
                Array("inherits: debian\nkernel-debugger: { host: true, executable: /opt/bin/crash }\n".utf8),
                to: plugins.appending("site.yaml"))
            let catalog = try DistributionCatalog(plugins: plugins, keys: checkout.appending("gpg"))
            let builder = ChrootBuilder(
                repositories: release.directory.appending("repositories"), store: release.store, catalog: catalog,
                host: .x86_64, hostRoot: release.host)
            let error = await release.failure(of: builder)
            #expect(error?.code == .debuggerUnusable)
            #expect(error?.advice?.contains("install crash on the chroot builder's host") == true)
            try release.installCrash(executable: "/opt/bin/crash")
            let chroot = try await release.kernelChroot(builder)
            #expect(chroot.debugger.executable == "/opt/bin/crash" && chroot.remarks.count == 1)
        }
    }
}

extension DebianRelease {
    /// The roots of a kernel without symbols.
    fileprivate func kernelChroot(_ other: ChrootBuilder? = nil) async throws -> Chroot {
        try await (other ?? builder).build(
            MadeKernelCrash.crash(modules: nil, buildID: nil), resolution([]), task: task)
    }

    fileprivate func failure(of other: ChrootBuilder? = nil) async -> StageError? {
        do {
            _ = try await kernelChroot(other)
            return nil
        } catch {
            return error as? StageError
        }
    }
}
