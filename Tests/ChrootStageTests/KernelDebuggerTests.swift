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
            let debugger = try #require(chroot.debugger)
            #expect(chroot.remarks.count == 1 && debugger.package.description == "crash-8.0.2-1.amd64")
            #expect(debugger.directory.contains("/\(release.releaseID).kernel-"))
            #expect(debugger.loader == "/usr/lib/x86_64-linux-gnu/ld.so.2")
            // Neither takes the other's place.
            #expect(try await release.builder.debuggerRoot(for: release.releaseID) == gdb)
            #expect(try await release.kernelChroot() == chroot)
            #expect(try await release.builder.sweep(olderThan: .seconds(-1)) { _ in true } == [])
        }
    }

    @Test func replacedRootsOfCrashAreSwept() async throws {
        try await DebianRelease.with { release in
            try await release.addCrash()
            let old = FilePath(try await release.kernelDebugger().directory)
            try await release.add(
                TestPackage("libc6", "2.36-10", ["lib64/ld.so.2": .file(ELFBuilder(type: 3).build())]))
            try await release.builder.removeCrashRoot(of: release.task)
            let new = FilePath(try await release.kernelDebugger().directory)
            #expect(old != new)
            let removed = try await release.builder.sweep(olderThan: .seconds(-1)) { _ in true }
            #expect(removed == [old.lastComponent?.string].compactMap(\.self) && exists(new))
        }
    }

    @Test func mirrorWithoutCrashFallsBackToTheHostsAndSaysSo() async throws {
        try await DebianRelease.with { release in
            try release.installCrash()
            let chroot = try await release.kernelChroot()
            let debugger = try #require(chroot.debugger)
            #expect(debugger.package.description == "crash-8.0.2-1.amd64")
            #expect(chroot.remarks.contains { $0.hasSuffix("The server's own crash-8.0.2-1.amd64 was used instead.") })
            let root = FilePath(debugger.directory)
            #expect(debugger.executable == "/usr/bin/crash" && debugger.loader == "/usr/lib64/ld.so.2")
            #expect(debugger.libraryPath == ["/usr/lib64", "/usr/lib"])
            // The host's files are copied, and nothing but them is there.
            #expect(regularFiles(below: root) == ["usr/bin/crash", "usr/lib64/ld.so.2"])
            #expect(try status(root.appending("usr/bin/crash")).st_mode & 0o777 == 0o755)
        }
    }

    @Test func hostsCrashIsCopiedAgainWhenItChanges() async throws {
        try await DebianRelease.with { release in
            try release.installCrash()
            let first = try await release.kernelDebugger()
            let inode = try status(FilePath(first.directory)).st_ino
            #expect(try await release.kernelDebugger() == first)
            #expect(try status(FilePath(first.directory)).st_ino == inode)
            let moment = timespec(tv_sec: 1_000_000_000, tv_nsec: 0)
            #expect(utimensat(AT_FDCWD, release.host.appending("usr/bin/crash").string, [moment, moment], 0) == 0)
            let second = try await release.kernelDebugger()
            #expect(second.directory != first.directory && exists(FilePath(second.directory)))
            let removed = try await release.builder.sweep(olderThan: .seconds(-1)) { _ in true }
            #expect(removed == [FilePath(first.directory).lastComponent?.string].compactMap(\.self))
        }
    }

    @Test func packageManagersThatDoNotKnowTheProgramAreNotQuoted() async throws {
        try await DebianRelease.with { release in
            try release.installCrash(dpkg: false)
            #expect(try await release.kernelDebugger().package.description == "crash-of-the-host.x86_64")
            try release.installCrash()
            try write(Array("/usr/bin/other\n".utf8), to: release.host.appending("var/lib/dpkg/info/crash.list"))
            #expect(try await release.kernelDebugger().package.description == "crash-of-the-host.x86_64")
        }
    }

    /// The kernel's log can be read without, so this is no failure.
    @Test func withoutAnyCrashARemarkNamesBothWays() async throws {
        try await DebianRelease.with { release in
            let absence = try #require(try await release.absence())
            #expect(absence.contains("retrace sync debian 12 x86_64 crash"))
            #expect(absence.contains("install crash on the chroot builder's host"))
        }
    }

    @Test func kernelOfAnotherArchitectureOrOfNoReleaseHasNoDebuggerAndNoSymbols() async throws {
        try await DebianRelease.with { release in
            try await release.addCrash()
            let foreign = ChrootBuilder(
                repositories: release.directory.appending("repositories"), store: release.store,
                catalog: release.catalog, host: .aarch64, hostRoot: release.host)
            let absence = try #require(try await release.absence(of: foreign))
            #expect(absence.contains("does not run on this host"))
            let nowhere = Resolution(
                releaseID: nil, releaseEvidence: "No plugin has it.", modules: [], packages: [])
            let chroot = try await release.builder.build(
                MadeKernelCrash.crash(modules: nil, buildID: nil), nowhere, task: release.task)
            #expect(chroot.debugger == nil && chroot.kernel == nil && chroot.remarks == ["No plugin has it."])
            #expect(exists(FilePath(chroot.crashRoot)))
        }
    }

    @Test func processOfNoReleaseIsAFailure() async throws {
        try await DebianRelease.with { release in
            let nowhere = Resolution(releaseID: nil, releaseEvidence: "", modules: [], packages: [])
            let error = await #expect(throws: StageError.self) {
                try await release.builder.build(nowhere, task: release.task)
            }
            #expect(error?.code == .internalError)
        }
    }

    /// What was built for a dump that nothing could read is not taken for what is built when something can.
    @Test func debuggerThatIsInstalledLaterIsFoundByTheSameTask() async throws {
        try await DebianRelease.with { release in
            #expect(try await release.absence() != nil)
            try release.installCrash()
            let chroot = try await release.kernelChroot()
            #expect(chroot.debugger != nil)
            #expect(chroot.remarks.contains { $0.contains("No package has the symbols") })
        }
    }

    @Test func absenceIsRememberedUntilTheMetadataChange() async throws {
        try await DebianRelease.with { release in
            let first = try await release.absence()
            let note = release.store.directory.appending("debuggers/\(release.releaseID).kernel.none.json")
            #expect(contents(note)?.contains("crash") == true)
            // The same metadata are not read again: what was written down is told.
            let text = try #require(contents(note)).replacing(/"detail" : ".*"/, with: "\"detail\" : \"as known\"")
            try write(Array(text.utf8), to: note)
            #expect(try await release.absence()?.contains("to look at the crash with: as known.") == true)
            #expect(first?.contains("as known") == false)
            try await release.addCrash()
            #expect(try await release.absence() == nil)
        }
    }

    @Test func hostsCrashOfAnotherArchitectureIsNone() async throws {
        try await DebianRelease.with { release in
            try release.installCrash(machine: 183)
            #expect(try await release.absence()?.contains("to look at the crash with") == true)
        }
    }

    @Test func hostsCrashThatLacksALibraryIsNamed() async throws {
        try await DebianRelease.with { release in
            try release.installCrash()
            #expect(unlink(release.host.appending("lib64/ld.so.2").string) == 0)
            #expect(try await release.absence()?.contains("/usr/bin/crash") == true)
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
            #expect(
                try await release.absence(of: builder)?.contains("install crash on the chroot builder's host") == true)
            try release.installCrash(executable: "/opt/bin/crash")
            let chroot = try await release.kernelChroot(builder)
            #expect(chroot.debugger?.executable == "/opt/bin/crash" && chroot.remarks.count == 1)
        }
    }
}

extension DebianRelease {
    /// The roots of a kernel without symbols.
    fileprivate func kernelChroot(_ other: ChrootBuilder? = nil) async throws -> Chroot {
        try await (other ?? builder).build(
            MadeKernelCrash.crash(modules: nil, buildID: nil), resolution([]), task: task)
    }

    fileprivate func kernelDebugger() async throws -> DebuggerRoot { try #require(try await kernelChroot().debugger) }

    /// Why there is no debugger; nil when there is one.
    fileprivate func absence(of other: ChrootBuilder? = nil) async throws -> String? {
        let chroot = try await kernelChroot(other)
        return chroot.debugger == nil ? chroot.remarks.first : nil
    }
}
