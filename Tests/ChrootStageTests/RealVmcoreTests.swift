import ChrootStage
import CrashModel
import Glibc
import Packages
import Sandbox
import SystemPackage
import TestFixtures
import Testing

/// A real dump and Debian's package of its kernel's symbols, both of which lie beside the checkout where somebody put them.
private let lab: FilePath? = {
    var checkout = FilePath(#filePath)
    for _ in 0..<3 { checkout.removeLastComponent() }
    let folder = checkout.removingLastComponent().appending("lab")
    let files = ["vmcores/vmcore.zlib", "debs/\(RealKernel.package)"].map { folder.pushing(FilePath($0)) }
    return files.allSatisfy { access($0.string, R_OK) == 0 } && access("/usr/bin/crash", X_OK) == 0 ? folder : nil
}()

private enum RealKernel {
    static let release = "6.1.0-56-cloud-amd64"
    static let package = "linux-image-6.1.0-56-cloud-amd64-dbg_6.1.192-2_amd64.deb"
    static let buildID = "3b43fad5034874490492495d552c0af6a5fab235"
    static let vmlinux = "/usr/lib/debug/boot/vmlinux-\(release)"
    static let modules = "/usr/lib/debug/lib/modules/\(release)"
    static let loaded = [
        "dummy", "virtio", "virtio_blk", "virtio_pci", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_ring",
    ]
}

@Suite(.enabled(if: lab != nil, "needs ../lab with a vmcore and its kernel's symbols, and crash"))
struct RealVmcoreTests {
    @Test func crashReadsARealDumpInTheRootsThatWereBuiltForIt() async throws {
        let lab = try #require(lab)
        try await DebianRelease.with { release in
            let file = lab.pushing(FilePath("debs/\(RealKernel.package)"))
            let location = "pool/\(RealKernel.package)"
            guard symlink(file.string, release.mirror.path.pushing(FilePath(location)).string) == 0 else {
                throw Errno(rawValue: errno)
            }
            let nevra = try NEVRA(
                name: "linux-image-\(RealKernel.release)-dbg", debianVersion: "6.1.192-2", architecture: "amd64")
            let buildID = try BuildID(RealKernel.buildID)
            let resolution = release.resolution(
                [
                    ResolvedPackage(
                        nevra: nevra, sha256: try packageDigest(of: file).sha256, location: location, role: .debuginfo,
                        files: [RealKernel.vmlinux, RealKernel.modules + "/"])
                ],
                modules: [
                    ResolvedModule(
                        module: MadeKernelCrash.module(buildID), status: .complete,
                        debuginfo: PackagedFile(nevra: nevra, path: RealKernel.vmlinux))
                ])
            let builder = ChrootBuilder(
                repositories: release.directory.appending("repositories"), store: release.store,
                catalog: release.catalog)
            let crash = try MadeKernelCrash.crash(modules: RealKernel.loaded, buildID: buildID)
            let chroot = try await builder.build(crash, resolution, task: release.task)
            let warm = try await builder.build(crash, resolution, task: try TaskID("987654321"))
            #expect(warm.kernel == chroot.kernel)
            #expect(chroot.kernel == KernelFiles(vmlinux: RealKernel.vmlinux, modules: RealKernel.modules))
            #expect(regularFiles(below: FilePath(chroot.crashRoot)).count == 1 + RealKernel.loaded.count)
            let dummy = RealKernel.modules + "/kernel/drivers/net/dummy.ko"
            let commands = try FolderContents.write(
                "sys\nmod -s dummy \(dummy)\nquit\n".utf8, to: release.directory.appending("commands"))
            chmod(commands.string, 0o644)
            let debugger = chroot.debugger
            let result = try await runSandboxed(
                SandboxedCommand(
                    root: FilePath(chroot.crashRoot),
                    binds: [
                        SandboxBind(FilePath(debugger.directory), at: "/.retrace"),
                        SandboxBind(lab.pushing(FilePath("vmcores/vmcore.zlib")), at: "/.vmcore"),
                        SandboxBind(commands, at: "/.commands"),
                    ], environment: ["TERM": "dumb", "HOME": "/tmp"],
                    arguments: [
                        "/.retrace" + debugger.loader, "--library-path",
                        debugger.libraryPath.map { "/.retrace" + $0 }.joined(separator: ":"),
                        "/.retrace" + debugger.executable, "-s", "-i", "/.commands", "/.vmcore", RealKernel.vmlinux,
                    ]), limits: SandboxLimits(memoryBytes: 8 << 30, wallTime: .seconds(300)))
            let output = String(decoding: result.standardOutput, as: UTF8.self)
            #expect(result.termination == .exited(0), "\(String(decoding: result.standardError, as: UTF8.self))")
            #expect(output.contains("RELEASE: \(RealKernel.release)"))
            #expect(output.contains(dummy))
        }
    }
}
