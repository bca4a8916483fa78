import CrashModel
import ELF
import Glibc
import SystemPackage
import TestFixtures
import Testing

@testable import Packages

/// Lies there where somebody has fetched it.
private let realKernelPackage: FilePath? = {
    var checkout = FilePath(#filePath)
    for _ in 0..<3 { checkout.removeLastComponent() }
    let folder = checkout.removingLastComponent().appending("lab/debs")
    let name = FolderContents.names(in: folder).first {
        $0.hasPrefix("linux-image-") && $0.contains("-dbg_") && $0.hasSuffix(".deb")
    }
    return name.map { folder.appending($0) }
}()

/// Debian's own package of a kernel's symbols, where it lies beside the checkout.
@Suite(.enabled(if: realKernelPackage != nil, "needs ../lab/debs/linux-image-*-dbg_*.deb")) struct RealKernelTests {
    @Test func vmlinuxAndTheModulesOfARealKernelComeOnceAndOnly() async throws {
        let package = try #require(realKernelPackage)
        let name = try #require(package.lastComponent?.string)
        let release = String(try #require(name.split(separator: "_").first).dropFirst("linux-image-".count).dropLast(4))
        try await ScratchDirectory.with { directory in
            let store = KernelStore(PackageStore(directory: directory.appending("store")))
            let sha256 = try packageDigest(of: package).sha256
            func request(_ buildID: BuildID?, _ names: Set<String>) -> KernelRequest {
                KernelRequest(
                    buildID: buildID, package: package, sha256: sha256,
                    vmlinux: "/usr/lib/debug/boot/vmlinux-\(release)",
                    modules: KernelModules(below: "/usr/lib/debug/lib/modules/\(release)/", .named(names)))
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
