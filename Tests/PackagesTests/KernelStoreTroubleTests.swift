import CrashModel
import Glibc
import SystemPackage
import TestFixtures
import Testing

@testable import Packages

/// Hostile packages, full stores, and what a restart of the machine leaves.
struct KernelStoreTroubleTests {
    private func store(_ directory: FilePath, highWaterMark: UInt64 = 50_000_000_000) -> KernelStore {
        KernelStore(PackageStore(directory: directory.appending("store"), highWaterMark: highWaterMark))
    }

    /// An RPM whose payload has these members, after the modules that it should have; vmlinux comes last, as in real ones.
    private func rpm(_ members: [PackageBytes.CpioFile], in directory: FilePath) throws -> MadeKernel {
        let buildID = try BuildID("64a81c3c6b3e2fd1cd7b0bd1e0a5b0a4a0e1c2d3")
        let vmlinux = MadeKernel.directory + "vmlinux"
        var elf = ELFBuilder(type: 3)
        elf.notes = [ELFBuilder.Note("GNU", 3, buildID.bytes)]
        let all =
            members + [
                PackageBytes.CpioFile("." + MadeKernel.module("good.ko.debug"), content: [7], inode: 90),
                PackageBytes.CpioFile("." + vmlinux, content: elf.build(), inode: 91),
            ]
        let path = directory.appending("kernel.rpm")
        _ = try FolderContents.write(PackageBytes.rpm(payload: PackageBytes.cpio(all)), to: path)
        return try MadeKernel(buildID: buildID, vmlinux: vmlinux, package: path)
    }

    @Test func membersThatAreNoPlainFilesInsideTheRootAreMissing() async throws {
        try await ScratchDirectory.with { directory in
            func name(_ path: String) -> String { "." + MadeKernel.module(path) }
            let kernel = try rpm(
                [
                    .init(name("fifo.ko.debug"), mode: 0o010644, inode: 2),
                    .init(name("link.ko.debug"), mode: 0o120777, content: Array("/etc/passwd".utf8), inode: 3),
                    .init(name("../../../../../../../../../up.ko.debug"), content: [1], inode: 4),
                    .init("/" + name("absolute.ko.debug"), content: [1], inode: 5),
                    .init(name("empty.ko.debug"), inode: 6),
                    .init(name("dir.ko.debug"), mode: 0o040755, inode: 7),
                    .init(name("packed.ko.xz"), content: [1], inode: 8),
                    .init(name("twice.ko.debug"), content: [1], inode: 9),
                    .init(name("other/twice.ko.debug"), content: [2], inode: 10),
                    .init(name("plain.ko.debug"), content: [1], inode: 11),
                    .init(name("plain.ko.debug/below.ko.debug"), content: [1], inode: 12),
                    .init(name("line\nfeed.ko.debug"), content: [1], inode: 13),
                ], in: directory)
            let names: Set = [
                "fifo", "link", "up", "absolute", "empty", "dir", "packed", "twice", "plain", "below", "good",
            ]
            let store = store(directory)
            let lease = try await store.lease(kernel.request(.named(names)))
            #expect(
                lease.modules == ["good.ko.debug", "plain.ko.debug", "twice.ko.debug"].map(MadeKernel.module))
            #expect(lease.missing == ["absolute", "below", "dir", "empty", "fifo", "link", "packed", "up"])
            #expect(try MadeKernel.files(in: lease.lease.tree) == lease.modules + [kernel.vmlinux])
            #expect(try namesInDirectory(store.store.aside).isEmpty)
            // What cannot be had is known from now on.
            #expect(unlink(kernel.package.string) == 0)
            #expect(try await store.lease(kernel.request(.named(names))).missing == lease.missing)
            #expect(try await store.lease(kernel.request(.all)).modules == lease.modules)
        }
    }

    @Test(arguments: ["", "vmlinux", "/usr/../etc/vmlinux", "/usr//vmlinux", "/usr/./vmlinux", "/vmlinux/", "/a\0b"])
    func pathsThatCouldLeaveTheTreeAreInNoPackage(path: String) async throws {
        try await ScratchDirectory.with { directory in
            var kernel = try MadeKernel(in: directory)
            kernel.vmlinux = path
            let store = store(directory)
            await #expect(throws: PackageStoreError.withoutKernel(path: path)) {
                try await store.lease(kernel.request())
            }
            #expect(store.passCount == 0)
        }
    }

    @Test func anAlteredPackageIsRefusedAndLeavesNothing() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            _ = try FolderContents.write([1], to: kernel.package)
            let store = store(directory)
            let found = try packageDigest(of: kernel.package).sha256
            await #expect(throws: PackageStoreError.altered(expected: kernel.sha256, found: found)) {
                try await store.lease(kernel.request(.all))
            }
            #expect(try namesInDirectory(store.store.kernels).isEmpty)
        }
    }

    @Test func whatWasReadOfACutPackageStays() async throws {
        try await ScratchDirectory.with { directory in
            // The content of the last member, vmlinux itself, is cut off.
            let whole = try rpm([], in: directory)
            let bytes = try FolderContents.read(whole.package)
            _ = try FolderContents.write(bytes.dropLast(200), to: whole.package)
            let kernel = try MadeKernel(buildID: whole.buildID, vmlinux: whole.vmlinux, package: whole.package)
            let store = store(directory)
            let held = try KernelShelf(store: store.store, request: kernel.request()).open()
            await #expect(throws: PackageStoreError.self) { try await store.lease(kernel.request(.all)) }
            #expect(try MadeKernel.files(in: held.tree) == [MadeKernel.module("good.ko.debug")])
            #expect(try namesInDirectory(store.store.aside).isEmpty)
        }
    }

    @Test func kernelsAreEvictedByLastUseAmongThePackagesAndNeverWhenLeased() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            let full = store(directory)
            var made = MadeDebianPackage("made", version: "1.0-1")
            made.add("/usr/bin/made", [UInt8](repeating: 7, count: 100_000))
            let file = try made.write(to: directory, as: "made.deb")
            let sha256 = try packageDigest(of: file).sha256
            _ = try await full.store.tree(of: sha256, from: file)
            var lease: KernelLease? = try await full.lease(kernel.request(.all))
            let entry = full.store.kernels.appending("\(kernel.buildID)")
            try setLastUse(entry.appending("lock"), secondsAgo: 9000)
            try setLastUse(full.store.entry(sha256).appending("lock"), secondsAgo: 5000)
            let small = PackageStore(directory: directory.appending("store"), highWaterMark: 1)
            #expect(small.evict(sparingSeconds: 7000) == [])
            lease = nil
            #expect(lease == nil && small.evict(sparingSeconds: 7000) == ["\(kernel.buildID)"])
            #expect(!exists(entry) && exists(full.store.entry(sha256)))
            #expect(try await full.lease(kernel.request(.all)).modules.count == 3)
        }
    }

    @Test func theSizeOfAKernelCountsInTheStore() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            let store = store(directory)
            let lease = try await store.lease(kernel.request(.all))
            let stamp = try #require(
                EntryStamp(
                    readSmallFile(store.store.kernels.appending("\(kernel.buildID)/bytes"), limit: 256)))
            #expect(try stamp.contentBytes == contentBytes(below: lease.lease.tree) && stamp.contentBytes > 0)
        }
    }

    @Test func aKernelThatAPowerFailureCutIsExtractedAgainAndAWholeOneIsNot() async throws {
        try await ScratchDirectory.with { directory in
            let kernel = try MadeKernel(in: directory)
            let store = store(directory)
            let stampPath = store.store.kernels.appending("\(kernel.buildID)/bytes")
            var lease: KernelLease? = try await store.lease(kernel.request(.all))
            let path = try #require(lease?.modules.first)
            let module = try #require(lease).lease.tree.appending(String(path.dropFirst()))
            var stamp = try #require(EntryStamp(readSmallFile(stampPath, limit: 256)))
            stamp.bootID = "of-yesterday"
            try replaceFile(stampPath, with: stamp.bytes)
            _ = try await store.lease(kernel.request(.all))
            #expect(store.passCount == 1)
            try replaceFile(stampPath, with: stamp.bytes)
            try write("", to: module)
            // It cannot be replaced as long as somebody uses it.
            await #expect(throws: PackageStoreError.self) { try await store.lease(kernel.request(.all)) }
            #expect(lease != nil)
            lease = nil
            _ = try await store.lease(kernel.request(.all))
            #expect(store.passCount == 2)
            #expect(try !readSmallFile(module, limit: 1000).isEmpty)
        }
    }
}
