import CrashModel
import ELF
import SystemPackage
import TestFixtures
import Testing

@testable import Packages

/// Debian's own package of a kernel's symbols.
@Suite(.enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1")) struct RealKernelTests {
    @Test func vmlinuxAndTheModulesOfARealKernelComeOnceAndOnly() async throws {
        let made = try await MadeKernelDumps.made()
        let package = made.debugPackage
        try await ScratchDirectory.with { directory in
            let store = KernelStore(PackageStore(directory: directory.appending("store")))
            let sha256 = try packageDigest(of: package).sha256
            func request(_ buildID: BuildID?, _ names: Set<String>) -> KernelRequest {
                KernelRequest(
                    buildID: buildID, package: package, sha256: sha256,
                    vmlinux: made.vmlinux, modules: KernelModules(below: made.modules + "/", .named(names)))
            }
            let found = try await store.lease(request(nil, ["virtio_net", "btrfs"]))
            #expect(found.modules.count == 2 && found.missing == [])
            #expect(try await store.lease(request(nil, ["btrfs", "virtio_net"])).modules == found.modules)
            #expect(store.passCount == 1)
            #expect(try await store.lease(request(nil, ["nls_ascii"])).modules.count == 1)
            #expect(try MadeKernel.files(in: found.lease.tree).count == 4)
            // Less than a half of the 1.7 GB in the package.
            #expect(try contentBytes(below: found.lease.tree) < 700_000_000)
            let vmlinux = found.lease.tree.appending(String(found.vmlinux.dropFirst()))
            let buildID = try #require(try ELFFile(FileByteSource(vmlinux)).identity().buildID)
            let wrong = try BuildID("0123456789abcdef0123456789abcdef01234567")
            await #expect(throws: PackageStoreError.otherKernel(expected: wrong, found: buildID)) {
                try await store.lease(request(wrong, []))
            }
        }
    }
}
