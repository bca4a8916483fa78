import ChrootStage
import CrashModel
import Glibc
import Packages
import Synchronization
import SystemPackage
import TestFixtures
import Testing

@Suite struct KernelRootTests {
    /// A release with a mirrored crash.
    private func withRelease(_ body: (DebianRelease) async throws -> Void) async throws {
        try await DebianRelease.with { release in
            try await release.addCrash()
            try await body(release)
        }
    }

    private func files(in root: String) -> Set<String> {
        Set(regularFiles(below: FilePath(root)).map { "/" + $0 })
    }

    @Test func rootHasVmlinuxAndTheLoadedModulesAndNothingElse() async throws {
        try await withRelease { release in
            let (resolution, _) = try await release.kernelResolution()
            let crash = try MadeKernelCrash.crash(
                modules: ["ext4", "snd_hda_intel", "nvidia", "bad\u{1b}[31m"], buildID: MadeKernelCrash.buildID())
            let chroot = try await release.builder.build(crash, resolution, task: release.task)
            #expect(
                chroot.kernel
                    == KernelFiles(
                        vmlinux: MadeKernelCrash.vmlinux, modules: String(MadeKernelCrash.modules.dropLast())))
            let kernel = MadeKernelCrash.modules + "kernel/"
            #expect(
                files(in: chroot.crashRoot)
                    == [MadeKernelCrash.vmlinux, kernel + "fs/ext4.ko", kernel + "sound/snd-hda-intel.ko"])
            #expect(chroot.remarks.count == 1)
            #expect(
                chroot.remarks.first?.hasSuffix(
                    "has no debug files of 2 modules that were loaded: nvidia and 1 more.") == true)
            #expect(chroot.debugger?.executable == "/usr/bin/crash" && chroot.debugger?.package.name == "crash")
        }
    }

    @Test func buildingAgainGivesTheSameAndNeedsNoPackage() async throws {
        try await withRelease { release in
            let (resolution, package) = try await release.kernelResolution()
            let crash = try MadeKernelCrash.crash(modules: ["ext4"], buildID: MadeKernelCrash.buildID())
            let first = try await release.builder.build(crash, resolution, task: release.task)
            try release.removePackageFile(of: package)
            #expect(try await release.builder.build(crash, resolution, task: release.task) == first)
            // So does another task with a dump of the same kernel.
            let other = try await release.builder.build(crash, resolution, task: try TaskID("987654321"))
            #expect(other.kernel == first.kernel && other.remarks == [] && other.crashRoot != first.crashRoot)
            let inodes = try [first, other].map { try status(FilePath($0.crashRoot + MadeKernelCrash.vmlinux)).st_ino }
            #expect(inodes[0] == inodes[1])
            try await release.builder.removeCrashRoot(of: release.task)
            #expect(!exists(FilePath(first.crashRoot)) && exists(FilePath(other.crashRoot)))
        }
    }

    @Test func whatTheDumpCannotTellIsAskedAndVmlinuxComesFirst() async throws {
        try await withRelease { release in
            let (resolution, _) = try await release.kernelResolution()
            let crash = try MadeKernelCrash.crash(modules: nil, buildID: MadeKernelCrash.buildID())
            let told = Mutex<[String]>([])
            let chroot = try await release.builder.build(
                crash, resolution, task: release.task,
                loadedModules: { vmlinux in
                    told.withLock { $0.append(exists(vmlinux) ? "asked" : "asked too early") }
                    return ["virtio_net"]
                }, progress: { message, _ in told.withLock { $0.append(message) } })
            #expect(
                files(in: chroot.crashRoot)
                    == [MadeKernelCrash.vmlinux, MadeKernelCrash.modules + "kernel/net/virtio_net.ko"])
            let steps = told.withLock { $0.filter { $0.hasPrefix("asked") || $0.hasPrefix("vmlinux") } }
            #expect(steps == ["vmlinux of \(MadeKernelCrash.release) is there", "asked"])
        }
    }

    @Test func withNobodyToAskAllModulesAreThere() async throws {
        try await withRelease { release in
            let (resolution, _) = try await release.kernelResolution()
            let crash = try MadeKernelCrash.crash(modules: nil, buildID: MadeKernelCrash.buildID())
            let chroot = try await release.builder.build(crash, resolution, task: release.task)
            #expect(files(in: chroot.crashRoot).count == 4 && chroot.remarks == [])
        }
    }

    @Test func vmlinuxOfAnotherBuildIsRefusedAndToldOf() async throws {
        try await withRelease { release in
            let (resolution, _) = try await release.kernelResolution(status: .unverified)
            let other = try BuildID("0123456789abcdef0123456789abcdef01234567")
            let crash = try MadeKernelCrash.crash(modules: ["ext4"], buildID: other)
            let chroot = try await release.builder.build(crash, resolution, task: release.task)
            #expect(chroot.kernel == nil && chroot.remarks.count == 1)
            #expect(
                chroot.remarks.first?.contains(
                    "its vmlinux has build-id \(try MadeKernelCrash.buildID()), and the kernel that ran had \(other)")
                    == true)
            #expect(files(in: chroot.crashRoot) == [])
            let module = try #require(
                try await release.builder.corrected(resolution, task: release.task).modules.first)
            #expect(module.status == .unknown && module.debuginfo == nil && module.reason != nil)
            // The answer is the same when the job comes once more.
            #expect(try await release.builder.build(crash, resolution, task: release.task) == chroot)
        }
    }

    @Test func dumpWithoutABuildIDLeavesADoubt() async throws {
        try await withRelease { release in
            let (resolution, _) = try await release.kernelResolution(status: .unverified)
            let crash = try MadeKernelCrash.crash(modules: [], buildID: nil)
            let chroot = try await release.builder.build(crash, resolution, task: release.task)
            let kernel = try #require(chroot.kernel)
            #expect(kernel.modules == nil && kernel.doubt?.contains("does not say which build") == true)
            #expect(try await release.builder.corrected(resolution, task: release.task) == resolution)
            #expect(try await release.builder.build(crash, resolution, task: release.task) == chroot)
        }
    }

    @Test func whatWasFoundByVersionIsCompleteOnceItsBuildIDFits() async throws {
        try await withRelease { release in
            let (resolution, _) = try await release.kernelResolution(status: .unverified)
            let crash = try MadeKernelCrash.crash(modules: [], buildID: MadeKernelCrash.buildID())
            let chroot = try await release.builder.build(crash, resolution, task: release.task)
            #expect(chroot.kernel?.doubt == nil && chroot.kernel != nil)
            let module = try #require(
                try await release.builder.corrected(resolution, task: release.task).modules.first)
            #expect(module.status == .complete && module.reason == nil && module.debuginfo != nil)
        }
    }

    @Test func kernelWithoutSymbolsHasAnEmptyRoot() async throws {
        try await withRelease { release in
            let crash = try MadeKernelCrash.crash(modules: nil, buildID: nil)
            let unknown = ResolvedModule(module: MadeKernelCrash.module(nil), status: .unknown)
            let resolution = release.resolution([], modules: [unknown])
            let chroot = try await release.builder.build(crash, resolution, task: release.task)
            #expect(chroot.kernel == nil && chroot.remarks.count == 1)
            #expect(exists(FilePath(chroot.crashRoot).appending("usr/lib")))
        }
    }

    @Test func packageThatIsGoneOrLacksVmlinuxCostsTheSymbolsOnly() async throws {
        try await withRelease { release in
            let crash = try MadeKernelCrash.crash(modules: nil, buildID: MadeKernelCrash.buildID())
            let (lacking, package) = try await release.kernelResolution(vmlinux: "/usr/lib/debug/boot/vmlinux")
            let first = try await release.builder.build(crash, lacking, task: release.task)
            #expect(first.kernel == nil)
            #expect(first.remarks.first?.contains("has no vmlinux at /usr/lib/debug/boot/vmlinux.") == true)
            try release.removePackageFile(of: package)
            let second = try await release.builder.build(crash, lacking, task: try TaskID("987654321"))
            #expect(second.kernel == nil)
            #expect(second.remarks.first?.contains("cannot be read") == true)
            #expect(!second.remarks.joined().contains(release.directory.string))
        }
    }

    /// Where a package is fetched on first need, nobody knows where in it vmlinux is.
    @Test func vmlinuxIsLookedForInEveryPlaceThatThePluginNames() async throws {
        try await withRelease { release in
            let package = try await release.add(
                MadeKernelCrash.package(),
                files: [
                    "/usr/lib/debug/usr/lib/modules/vmlinux.debug", "/usr/lib/debug/usr/lib/modules/",
                    MadeKernelCrash.vmlinux, MadeKernelCrash.modules,
                ])
            let module = ResolvedModule(
                module: MadeKernelCrash.module(try MadeKernelCrash.buildID()), status: .unverified,
                debuginfo: PackagedFile(nevra: package.nevra, path: "/usr/lib/debug/usr/lib/modules/vmlinux.debug"),
                reason: "It was found by its version.")
            let crash = try MadeKernelCrash.crash(modules: ["ext4"], buildID: MadeKernelCrash.buildID())
            let chroot = try await release.builder.build(
                crash, release.resolution([package], modules: [module]), task: release.task)
            #expect(
                chroot.kernel
                    == KernelFiles(
                        vmlinux: MadeKernelCrash.vmlinux, modules: String(MadeKernelCrash.modules.dropLast())))
            #expect(files(in: chroot.crashRoot).contains(MadeKernelCrash.modules + "kernel/fs/ext4.ko"))
        }
    }

    @Test func processesGetGdbAsBefore() async throws {
        try await withRelease { release in
            let tool = try await release.add(TestPackage("tool", "1-1", ["usr/bin/tool": .text("tool")]))
            let crash = try MadeKernelCrash.crash(modules: nil, buildID: nil, kind: .coredump)
            let chroot = try await release.builder.build(crash, release.resolution([tool]), task: release.task)
            #expect(chroot.debugger?.executable == "/usr/bin/gdb" && chroot.kernel == nil)
            #expect(exists(FilePath(chroot.crashRoot).appending("usr/bin/tool")))
        }
    }
}
