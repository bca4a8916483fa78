import CrashModel
import NIOPosix
import SystemPackage
import TestFixtures
import Testing

@testable import Packages

struct PackageStoreTests {
    private func madePackage(_ name: String, in directory: FilePath, bytes: Int = 100) throws -> (FilePath, String) {
        var made = MadeDebianPackage(name, version: "1.0-1")
        made.add("/lib/x86_64-linux-gnu/lib\(name).so.1", [UInt8](repeating: 7, count: bytes))
        made.add("/usr/bin/\(name)", Array("#!/bin/sh\n".utf8), executable: true)
        let file = try made.write(to: directory, as: "\(name).deb")
        return (file, try packageDigest(of: file).sha256)
    }

    @Test func twentyCallersWaitForOneUnpack() async throws {
        try await ScratchDirectory.with { directory in
            let (file, sha256) = try madePackage("made", in: directory)
            let store = PackageStore(directory: directory.appending("store"))
            let trees = try await withThrowingTaskGroup(of: FilePath.self) { group in
                for _ in 0..<20 { group.addTask { try await store.tree(of: sha256, from: file) } }
                return try await group.reduce(into: Set<FilePath>()) { $0.insert($1) }
            }
            #expect(trees == [store.entry(sha256).appending("tree")])
            #expect(store.unpackCount == 1)
            #expect(exists(store.entry(sha256).appending("tree/usr/lib/x86_64-linux-gnu/libmade.so.1")))
            #expect(exists(store.entry(sha256).appending("tree/lib/x86_64-linux-gnu/libmade.so.1")))
            #expect(try namesInDirectory(store.aside).isEmpty)
        }
    }

    @Test func twoProcessesThatRaceKeepOneTree() async throws {
        try await ScratchDirectory.with { directory in
            let packages = try (0..<8).map { try madePackage("made\($0)", in: directory, bytes: 50_000) }
            // Two stores over one directory know as little of one another as two processes do.
            let stores = (0..<2).map { _ in PackageStore(directory: directory.appending("store")) }
            try await withThrowingTaskGroup(of: PackageLease.self) { group in
                for (file, sha256) in packages {
                    for store in stores { group.addTask { try await store.lease(sha256, from: file) } }
                }
                for try await lease in group { #expect(exists(lease.tree.appending("usr/bin"))) }
            }
            #expect(try namesInDirectory(stores[0].aside).isEmpty)
        }
    }

    @Test func anUnpackedPackageNeedsItsFileNoMore() async throws {
        try await ScratchDirectory.with { directory in
            let (file, sha256) = try madePackage("made", in: directory)
            let store = PackageStore(directory: directory.appending("store"))
            let first = try await store.tree(of: sha256, from: file)
            let second = try await store.tree(of: sha256, from: "/nonexistent")
            #expect(first == second)
        }
    }

    @Test func anAlteredPackageIsRefusedAndLeavesNothing() async throws {
        try await ScratchDirectory.with { directory in
            let (file, _) = try madePackage("made", in: directory)
            let found = try packageDigest(of: file).sha256
            let expected = String(repeating: "0", count: 64)
            let store = PackageStore(directory: directory.appending("store"))
            await #expect(throws: PackageStoreError.altered(expected: expected, found: found)) {
                try await store.tree(of: expected, from: file)
            }
            #expect(!exists(store.entry(expected)))
        }
    }

    @Test(arguments: ["", "../../etc", String(repeating: "A", count: 64), String(repeating: "0", count: 63) + "/"])
    func aNameThatIsNoChecksumIsRefused(name: String) async throws {
        try await ScratchDirectory.with { directory in
            let store = PackageStore(directory: directory.appending("store"))
            await #expect(throws: PackageStoreError.invalidChecksum(name)) {
                try await store.tree(of: name, from: "/x")
            }
        }
    }

    @Test func aPackageThatIsCutIsUnpackableAndLeavesNothing() async throws {
        try await ScratchDirectory.with { directory in
            let file = directory.appending("cut.deb")
            try write("!<arch>\ndebian-binary", to: file)
            let sha256 = try packageDigest(of: file).sha256
            let store = PackageStore(directory: directory.appending("store"))
            let error = await #expect(throws: PackageStoreError.self) { try await store.tree(of: sha256, from: file) }
            guard case .unpackable = error else {
                Issue.record("expected an unpackable package, got \(String(describing: error))")
                return
            }
            #expect(!exists(store.entry(sha256)))
            #expect(try namesInDirectory(store.aside).isEmpty)
        }
    }

    @Test func evictionTakesTheLeastRecentlyUsedAndNeverALeasedOne() async throws {
        try await ScratchDirectory.with { directory in
            let packages = try (0..<4).map { try madePackage("made\($0)", in: directory, bytes: 100_000) }
            let store = PackageStore(directory: directory.appending("store"))
            var leases: [PackageLease] = []
            for (age, (file, sha256)) in packages.enumerated() {
                let lease = try await store.lease(sha256, from: file)
                // The first is the one unused for longest, and leased.
                if age == 0 { leases.append(lease) }
                try setLastUse(store.entry(sha256).appending("lock"), secondsAgo: 10_000 - age * 1000)
            }
            let smaller = PackageStore(directory: directory.appending("store"), highWaterMark: 300_000)
            #expect(smaller.evict(sparingSeconds: 0) == [packages[1].1, packages[2].1])
            #expect(exists(leases[0].tree.appending("usr/bin/made0")))
            #expect(exists(store.entry(packages[3].1)))
            // Another process leases what is here; then nothing can be taken.
            let other = PackageStore(directory: directory.appending("store"), highWaterMark: 1)
            #expect(other.evict(sparingSeconds: 0) == [packages[3].1])
            #expect(other.evict(sparingSeconds: 0) == [])
            leases.removeAll()
            #expect(other.evict(sparingSeconds: 0) == [packages[0].1])
        }
    }

    /// Children get a copy of every descriptor between fork(2) and exec, and eviction saw leases that had ended.
    @Test func aLeaseEndsThoughAStartingChildHasItsDescriptor() async throws {
        try await ScratchDirectory.with { directory in
            let (file, sha256) = try madePackage("made", in: directory)
            let store = PackageStore(directory: directory.appending("store"), highWaterMark: 1)
            var lease: PackageLease? = try await store.lease(sha256, from: file)
            let copy = dup(try #require(lease).lock.rawValue)
            defer { close(copy) }
            try setLastUse(store.entry(sha256).appending("lock"), secondsAgo: 1000)
            #expect(store.evict(sparingSeconds: 600) == [])
            lease = nil
            #expect(store.evict(sparingSeconds: 600) == [sha256])
        }
    }

    @Test func whatWasJustUsedIsNotEvicted() async throws {
        try await ScratchDirectory.with { directory in
            let (file, sha256) = try madePackage("made", in: directory)
            let store = PackageStore(directory: directory.appending("store"), highWaterMark: 1)
            let tree = try await store.tree(of: sha256, from: file)
            #expect(store.evict(sparingSeconds: 600) == [])
            #expect(exists(tree))
        }
    }

    @Test func anEvictedPackageIsUnpackedAgain() async throws {
        try await ScratchDirectory.with { directory in
            let (file, sha256) = try madePackage("made", in: directory)
            let store = PackageStore(directory: directory.appending("store"), highWaterMark: 1)
            _ = try await store.tree(of: sha256, from: file)
            try setLastUse(store.entry(sha256).appending("lock"), secondsAgo: 1000)
            #expect(store.evict(sparingSeconds: 600) == [sha256])
            #expect(exists(try await store.tree(of: sha256, from: file)))
            #expect(store.unpackCount == 2)
        }
    }

    @Test func aTreeThatAPowerFailureCutIsUnpackedAgainAndAWholeOneIsNot() async throws {
        try await ScratchDirectory.with { directory in
            let (file, sha256) = try madePackage("made", in: directory)
            let store = PackageStore(directory: directory.appending("store"))
            let stampPath = store.entry(sha256).appending("bytes")
            let library = try await store.tree(of: sha256, from: file)
                .appending("usr/lib/x86_64-linux-gnu/libmade.so.1")
            var stamp = try #require(EntryStamp(readSmallFile(stampPath, limit: 256)))
            stamp.bootID = "of-yesterday"
            try replaceFile(stampPath, with: stamp.bytes)
            _ = try await store.tree(of: sha256, from: file)
            #expect(store.unpackCount == 1)
            #expect(EntryStamp(try readSmallFile(stampPath, limit: 256))?.bootID == EntryStamp.currentBootID)
            try replaceFile(stampPath, with: stamp.bytes)
            try write("", to: library)
            _ = try await store.tree(of: sha256, from: file)
            #expect(store.unpackCount == 2)
            #expect(try readSmallFile(library, limit: 1000).count == 100)
        }
    }

    @Test func removingATreeFollowsNoLink() throws {
        try ScratchDirectory.with { directory in
            let kept = directory.appending("kept")
            try makeDirectory(kept)
            try write("precious", to: kept.appending("file"))
            let tree = directory.appending("tree")
            try makeDirectory(tree)
            try makeDirectory(tree.appending("sub"))
            try makeLink(tree.appending("sub/out"), to: kept.string)
            try removeTree(tree)
            #expect(!exists(tree))
            #expect(exists(kept.appending("file")))
        }
    }
}
