import ChrootStage
import CrashModel
import ELF
import Glibc
import Packages
import Sandbox
import SystemPackage
import TestFixtures
import Testing

@Suite(.enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1")) struct RealVmcoreTests {
    @Test func crashReadsARealDumpInTheRootsThatWereBuiltForIt() async throws {
        let made = try await MadeKernelDumps.made()
        let loaded = MadeKernelDumps.Cause.sysrq.modules
        try await DebianRelease.with { release in
            let file = made.debugPackage
            let location = "pool/\(try #require(file.lastComponent).string)"
            guard symlink(file.string, release.mirror.path.pushing(FilePath(location)).string) == 0 else {
                throw Errno(rawValue: errno)
            }
            let nevra = try NEVRA(
                name: "linux-image-\(made.release)-dbg", debianVersion: made.version, architecture: "amd64")
            let vmlinux = FilePath(made.symbols.string + made.vmlinux)
            let buildID = try #require(try ELFFile(FileByteSource(vmlinux)).identity().buildID)
            let resolution = release.resolution(
                [
                    ResolvedPackage(
                        nevra: nevra, sha256: try packageDigest(of: file).sha256, location: location, role: .debuginfo,
                        files: [made.vmlinux, made.modules + "/"])
                ],
                modules: [
                    ResolvedModule(
                        module: MadeKernelCrash.module(buildID), status: .complete,
                        debuginfo: PackagedFile(nevra: nevra, path: made.vmlinux))
                ])
            let builder = ChrootBuilder(
                repositories: release.directory.appending("repositories"), store: release.store,
                catalog: release.catalog)
            let crash = try MadeKernelCrash.crash(modules: loaded, buildID: buildID)
            let chroot = try await builder.build(crash, resolution, task: release.task)
            let warm = try await builder.build(crash, resolution, task: try TaskID("987654321"))
            #expect(warm.kernel == chroot.kernel)
            #expect(chroot.kernel == KernelFiles(vmlinux: made.vmlinux, modules: made.modules))
            #expect(regularFiles(below: FilePath(chroot.crashRoot)).count == 1 + loaded.count)
            let dummy = made.modules + "/kernel/drivers/net/dummy.ko"
            let commands = try FolderContents.write(
                "sys\nmod -s dummy \(dummy)\nquit\n".utf8, to: release.directory.appending("commands"))
            chmod(commands.string, 0o644)
            let debugger = try #require(chroot.debugger)
            let result = try await runSandboxed(
                SandboxedCommand(
                    root: FilePath(chroot.crashRoot),
                    binds: [
                        SandboxBind(FilePath(debugger.directory), at: "/.retrace"),
                        SandboxBind(made.dump("zlib"), at: "/.vmcore"),
                        SandboxBind(commands, at: "/.commands"),
                    ], environment: ["TERM": "dumb", "HOME": "/tmp"],
                    arguments: [
                        "/.retrace" + debugger.loader, "--library-path",
                        debugger.libraryPath.map { "/.retrace" + $0 }.joined(separator: ":"),
                        "/.retrace" + debugger.executable, "-s", "-i", "/.commands", "/.vmcore", made.vmlinux,
                    ]), limits: SandboxLimits(memoryBytes: 8 << 30, wallTime: .seconds(300)))
            let output = String(decoding: result.standardOutput, as: UTF8.self)
            #expect(result.termination == .exited(0), "\(String(decoding: result.standardError, as: UTF8.self))")
            #expect(output.contains("RELEASE: \(made.release)"))
            #expect(output.contains(dummy))
        }
    }
}
