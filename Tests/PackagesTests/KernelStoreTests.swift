import CrashModel
import Glibc
import NIOPosix
import Synchronization
import SystemPackage
import TestFixtures
import Testing

@testable import Packages

struct KernelStoreTests {
    private func store(_ directory: FilePath, highWaterMark: UInt64 = 50_000_000_000) -> KernelStore {
        KernelStore(PackageStore(directory: directory.appending("store"), highWaterMark: highWaterMark))
    }

    @Test func onlyVmlinuxAndTheNamedModulesAreExtracted() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            let store = store(directory)
            let lease = try await store.lease(kernel.request(.named(["snd_hda_intel", "virtio-net"])))
            let modules = [MadeKernel.module("drivers/net/virtio_net.ko"), MadeKernel.module("sound/snd-hda-intel.ko")]
            #expect(lease.vmlinux == kernel.vmlinux && lease.modules == modules && lease.missing == [])
            #expect(try MadeKernel.files(in: lease.lease.tree) == [kernel.vmlinux] + modules)
            #expect(try namesInDirectory(store.store.aside).isEmpty)
            let file = lease.lease.tree.appending(String(modules[0].dropFirst()))
            #expect(try readSmallFile(file, limit: 100) == Array("drivers/net/virtio_net.ko".utf8))
        }
    }

    @Test func withEverythingThereThePackageIsNotRead() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            let store = store(directory)
            // One is not in the package, which is known once it was read to its end.
            let request = kernel.request(.named(["ext4", "nvidia"]))
            let first = try await store.lease(request)
            #expect(unlink(kernel.package.string) == 0)
            let again = try await self.store(directory).lease(request)
            #expect(again.modules == first.modules && again.missing == ["nvidia"])
            #expect(store.passCount == 1)
        }
    }

    @Test func aSecondDumpExtractsOnlyWhatIsMissing() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            let store = store(directory)
            let first = try await store.lease(kernel.request(.named(["ext4"])))
            let vmlinux = first.lease.tree.appending(String(first.vmlinux.dropFirst()))
            let inode = try status(vmlinux).st_ino
            let second = try await store.lease(kernel.request(.named(["virtio_net"])))
            #expect(second.modules == [MadeKernel.module("drivers/net/virtio_net.ko")])
            #expect(try status(vmlinux).st_ino == inode && first.lease.tree == second.lease.tree)
            let all = try await store.lease(kernel.request(.all))
            #expect(
                all.modules
                    == ["drivers/net/virtio_net.ko", "fs/ext4/ext4.ko", "sound/snd-hda-intel.ko"].map(MadeKernel.module)
            )
            #expect(store.passCount == 3)
            // All are there, and which they are is known.
            #expect(unlink(kernel.package.string) == 0)
            #expect(try await store.lease(kernel.request(.all)).modules == all.modules)
        }
    }

    @Test(arguments: [true, false])
    func modulesThatOnlyVmlinuxTellsAreAskedForOnce(modulesFirst: Bool) async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory) { package, vmlinux, buildID in
                if modulesFirst { MadeKernel.addModules(&package) }
                package.addELF(vmlinux, buildID)
                if !modulesFirst { MadeKernel.addModules(&package) }
            }
            let store = store(directory)
            let steps = Mutex<[KernelStep]>([])
            let asked = Mutex<[FilePath]>([])
            let lease = try await store.lease(
                kernel.request(
                    .asked { vmlinux in
                        asked.withLock { $0.append(vmlinux) }
                        return ["ext4"]
                    })
            ) { step in steps.withLock { $0.append(step) } }
            #expect(lease.modules == [MadeKernel.module("fs/ext4/ext4.ko")])
            #expect(try MadeKernel.files(in: lease.lease.tree) == [kernel.vmlinux] + lease.modules)
            let vmlinux = lease.lease.tree.appending(String(kernel.vmlinux.dropFirst()))
            #expect(asked.withLock { $0 } == [vmlinux])
            #expect(steps.withLock { $0.count { $0 == .vmlinux } } == 1)
            #expect(store.passCount == (modulesFirst ? 2 : 1))
        }
    }

    @Test func anAnswerThatNobodyKnowsMeansAllModules() async throws {
        try await ScratchDirectory.with { directory in
            let lease = try await store(directory).lease(MadeKernel(in: directory).request(.asked { _ in nil }))
            #expect(lease.modules.count == 3 && lease.missing == [])
        }
    }

    @Test func twentyCallersInTwoProcessesReadThePackageOnce() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            // Two stores over one directory know as little of one another as two processes do.
            let stores = [store(directory), store(directory)]
            let leases = try await withThrowingTaskGroup(of: KernelLease.self) { group in
                for _ in 0..<10 {
                    for store in stores { group.addTask { try await store.lease(kernel.request(.named(["ext4"]))) } }
                }
                return try await group.reduce(into: [KernelLease]()) { $0.append($1) }
            }
            #expect(leases.count == 20 && Set(leases.map(\.modules)) == [[MadeKernel.module("fs/ext4/ext4.ko")]])
            #expect(stores.reduce(0) { $0 + $1.passCount } == 1)
            #expect(try namesInDirectory(stores[0].store.aside).isEmpty)
        }
    }

    @Test func callersThatWantDifferentModulesAllGetTheirs() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            let stores = [store(directory), store(directory)]
            let names = ["ext4", "virtio_net", "snd_hda_intel"]
            let found = try await withThrowingTaskGroup(of: Int.self) { group in
                for (index, name) in names.enumerated() {
                    group.addTask { try await stores[index % 2].lease(kernel.request(.named([name]))).modules.count }
                }
                return try await group.reduce(0, +)
            }
            #expect(found == 3)
            let lease = try await stores[0].lease(kernel.request(.named(Set(names))))
            #expect(lease.modules.count == 3)
        }
    }

    @Test func whatAKilledWorkerLeftIsClearedAndTheRestIsExtracted() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            let store = store(directory)
            let first = try await store.lease(kernel.request())
            let leftOver = store.store.temporaryName("extracting-\(kernel.buildID)")
            let other = store.store.temporaryName("extracting-\(kernel.buildID)0")
            for path in [leftOver, other] { try write("half", to: path) }
            // A module that got its name just before the kill is whole, though nobody has written down its size.
            let module = first.lease.tree.appending(String(MadeKernel.module("fs/ext4/ext4.ko").dropFirst()))
            try DebianArchive.makeDirectories(module.removingLastComponent())
            try write("fs/ext4/ext4.ko", to: module)
            let inode = try status(module).st_ino
            let lease = try await store.lease(kernel.request(.all))
            #expect(lease.modules.count == 3)
            #expect(try status(module).st_ino == inode)
            #expect(!exists(leftOver) && exists(other))
        }
    }

    @Test func anotherBuildIsRefusedAndLeavesNothing() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            let wanted = try BuildID("0123456789abcdef0123456789abcdef01234567")
            let store = store(directory)
            await #expect(throws: PackageStoreError.otherKernel(expected: wanted, found: kernel.buildID)) {
                try await store.lease(kernel.request(.all, buildID: wanted))
            }
            #expect(try namesInDirectory(store.store.kernels).isEmpty)
            #expect(try namesInDirectory(store.store.aside).isEmpty)
        }
    }

    @Test func aVmlinuxWithoutABuildIDIsRefusedWhereTheDumpHasOne() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory) { package, vmlinux, _ in package.addELF(vmlinux, nil) }
            let store = store(directory)
            await #expect(throws: PackageStoreError.otherKernel(expected: kernel.buildID, found: nil)) {
                try await store.lease(kernel.request())
            }
            // Where it has none, the package and the path are the name.
            let lease = try await store.lease(kernel.request(.named([]), buildID: .some(nil)))
            #expect(lease.vmlinux == kernel.vmlinux)
            #expect(try namesInDirectory(store.store.kernels).map { $0.count } == [81])
        }
    }

    @Test func aVmlinuxThatIsNoELFFileIsRefused() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory) { package, vmlinux, _ in package.add(vmlinux, [1, 2, 3]) }
            let error = await #expect(throws: PackageStoreError.self) {
                try await store(directory).lease(kernel.request(buildID: .some(nil)))
            }
            guard case .unusableKernel = error else {
                Issue.record("expected an unusable kernel, got \(String(describing: error))")
                return
            }
        }
    }

    @Test func vmlinuxBehindALinkIsFoundUnderTheLinksName() async throws {
        try await ScratchDirectory.with { directory in
            let name = MadeKernel.directory + "vmlinux"
            var kernel = try MadeKernel(in: directory) { package, vmlinux, buildID in
                MadeKernel.debian(&package, vmlinux, buildID)
                package.link(name, to: "../../../boot/vmlinux-\(MadeKernel.release)")
            }
            kernel.vmlinux = name
            let lease = try await store(directory).lease(kernel.request(.named(["ext4"])))
            #expect(lease.vmlinux == name)
            #expect(try MadeKernel.files(in: lease.lease.tree) == [MadeKernel.module("fs/ext4/ext4.ko"), name])
        }
    }

    @Test(arguments: ["vmlinux", "../../../../../../../../etc/passwd", "/nowhere", "."])
    func linksThatLeadToNoFileOfThePackageAreNoVmlinux(target: String) async throws {
        try await ScratchDirectory.with { directory in
            var kernel = try MadeKernel(in: directory) { package, _, _ in
                package.link(MadeKernel.directory + "vmlinux", to: target)
            }
            kernel.vmlinux = MadeKernel.directory + "vmlinux"
            let store = store(directory)
            await #expect(throws: PackageStoreError.withoutKernel(path: kernel.vmlinux)) {
                try await store.lease(kernel.request())
            }
            #expect(try namesInDirectory(store.store.kernels).isEmpty)
        }
    }
}
