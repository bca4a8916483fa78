import ChrootStage
import CrashModel
import Distributions
import Glibc
import Packages
import SystemPackage
import TestFixtures
import Testing

@Suite struct DebuggerRootTests {
    @Test func rootHasTheClosureAndSaysHowToStartIt() async throws {
        try await DebianRelease.with { release in
            let root = try await release.builder.debuggerRoot(for: release.releaseID)
            let directory = FilePath(root.directory)
            #expect(root.executable == "/usr/bin/gdb")
            // The link to the loader is absolute in the package, and the root will not be `/`.
            #expect(root.loader == "/usr/lib/x86_64-linux-gnu/ld.so.2")
            #expect(root.libraryPath == ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"])
            #expect(root.dataDirectory == "/usr/share/gdb" && root.pythonHome == "/usr")
            #expect(root.package.description == "gdb-13.1-3.amd64")
            #expect(target(directory.appending("usr/lib64/ld.so.2")) == "../../usr/lib/x86_64-linux-gnu/ld.so.2")
            #expect(target(directory.appending("etc/relative")) == "../usr/bin/gdb")
            #expect(exists(directory.appending("usr/lib64/ld.so.2")))
        }
    }

    @Test func rootIsReusedUntilTheMirrorHasANewerDebugger() async throws {
        try await DebianRelease.with { release in
            let first = try await release.builder.debuggerRoot(for: release.releaseID)
            let inode = try status(FilePath(first.directory)).st_ino
            #expect(try await release.builder.debuggerRoot(for: release.releaseID) == first)
            // Another process finds it too, and new metadata with the same debugger does not build it again.
            try await release.add(TestPackage("unrelated", "1-1", ["usr/bin/x": .text("x")]))
            let again = try await release.restarted().debuggerRoot(for: release.releaseID)
            #expect(again == first)
            #expect(try status(FilePath(again.directory)).st_ino == inode)
            try await release.addGdb(version: "14.2-1")
            let newer = try await release.builder.debuggerRoot(for: release.releaseID)
            #expect(newer.package.versionText == "14.2-1" && newer.directory != first.directory)
            // A task that started before may still be using the old one.
            #expect(exists(FilePath(first.directory)))
        }
    }

    @Test func warmRootNeedsNoPackageFiles() async throws {
        try await DebianRelease.with { release in
            let first = try await release.builder.debuggerRoot(for: release.releaseID)
            #expect(rename(release.mirror.pool.string, release.mirror.pool.string + "-away") == 0)
            #expect(try await release.builder.debuggerRoot(for: release.releaseID) == first)
        }
    }

    @Test func damagedManifestIsWrittenAgain() async throws {
        try await DebianRelease.with { release in
            let first = try await release.builder.debuggerRoot(for: release.releaseID)
            let manifest = FilePath(first.directory).removingLastComponent().appending("\(release.releaseID).json")
            try write(Array("{\"directory\": 7".utf8), to: manifest)
            #expect(try await release.builder.debuggerRoot(for: release.releaseID) == first)
            #expect(contents(manifest)?.contains("ld.so.2") == true)
        }
    }

    @Test func releaseThatWasNeverSynchronisedHasNoDebugger() async throws {
        try await DebianRelease.with(debugger: false) { release in
            let error = await release.failure()
            #expect(error?.code == .debuggerNotMirrored && error?.stage == .build)
            #expect(error?.advice?.contains("retrace sync debian 12 x86_64 gdb") == true)
        }
    }

    @Test func debuggerWithoutItsDependenciesIsNotMirrored() async throws {
        try await DebianRelease.with(debugger: false) { release in
            try await release.add(
                TestPackage("gdb", "1-1", depends: "libdebuginfod1", ["usr/bin/gdb": .text("x")]))
            let error = await release.failure()
            #expect(error?.code == .debuggerNotMirrored)
            #expect(error?.reason.contains("libdebuginfod1") == true)
        }
    }

    @Test func debuggersPackageFileThatIsGoneIsNamed() async throws {
        try await DebianRelease.with { release in
            #expect(unlink(release.mirror.pool.appending("libc6_2.36-9_amd64.deb").string) == 0)
            let error = await release.failure()
            #expect(error?.code == .debuggerNotMirrored && error?.reason.contains("libc6-2.36-9.amd64") == true)
            #expect(error.map { !$0.description.contains(release.directory.string) } == true)
        }
    }

    @Test(arguments: ["not ELF", ""])
    func programThatIsNoProgramIsUnusable(_ content: String) async throws {
        try await DebianRelease.with(debugger: false) { release in
            try await release.add(TestPackage("gdb", "1-1", ["usr/bin/gdb": .text(content)]))
            #expect(await release.failure()?.code == .debuggerUnusable)
            #expect(!exists(release.directory.appending("store/debuggers/\(release.releaseID).json")))
        }
    }

    @Test func packageWithoutTheProgramIsUnusable() async throws {
        try await DebianRelease.with(debugger: false) { release in
            try await release.add(TestPackage("gdb", "1-1", ["usr/share/gdb/x": .text("x")]))
            #expect(await release.failure()?.code == .debuggerUnusable)
        }
    }

    @Test func crashOfAnotherArchitectureIsRefused() async throws {
        try await DebianRelease.with(host: .aarch64) { release in
            #expect(await release.failure()?.code == .foreignArchitecture)
        }
    }

    @Test func debuggerOfAnRpmReleaseIsSolvedFromItsPrimaryMetadata() async throws {
        try await DebianRelease.with(debugger: false) { release in
            let fedora = MirrorDirectory(
                try ReleaseID("fedora-41-x86_64"), in: release.directory.appending("repositories"))
            let name = try #require(release.catalog.distribution(named: "fedora")).debugger.package
            let primary = """
                <metadata xmlns="http://linux.duke.edu/metadata/common"
                    xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">
                <package type="rpm"><name>\(name)</name><arch>x86_64</arch><version epoch="0" ver="15" rel="1.fc41"/>
                <checksum type="sha256" pkgid="YES">\(String(repeating: "0", count: 64))</checksum><location href="pool/gdb.rpm"/>
                <format><rpm:requires><rpm:entry name="libneeded.so.1()(64bit)"/></rpm:requires></format></package>
                </metadata>
                """
            try write(Array(primary.utf8), to: fedora.solvables.appending("updates-primary.xml"))
            let error = await release.failure(of: fedora.releaseID)
            #expect(error?.code == .debuggerNotMirrored)
            #expect(error?.reason.contains("libneeded.so.1()(64bit)") == true)
        }
    }

    @Test func distributionWithoutAPluginIsRefused() async throws {
        try await DebianRelease.with { release in
            let unknown = try ReleaseID("plan9-4-x86_64")
            #expect(await release.failure(of: unknown)?.code == .unknownDistribution)
        }
    }
}

extension DebianRelease {
    fileprivate func restarted() -> ChrootBuilder {
        ChrootBuilder(
            repositories: directory.appending("repositories"), store: store, catalog: catalog, host: .x86_64)
    }

    /// The error of asking for the debugger root; nil when there is none.
    fileprivate func failure(of releaseID: ReleaseID? = nil) async -> StageError? {
        do throws(StageError) {
            _ = try await builder.debuggerRoot(for: releaseID ?? self.releaseID)
            return nil
        } catch {
            return error
        }
    }
}
