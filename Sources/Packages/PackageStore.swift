package import NIOPosix
import Synchronization
package import SystemPackage

/// Every package unpacked once, in a directory named by the SHA-256 of the package file.
///
/// `packages/<first 2 digits>/<sha256>/` holds `tree/` (the files, immutable), `lock` (flock(2): shared by users,
/// exclusive for eviction; its time of change is that of the last use) and `bytes` (``EntryStamp``). Entries are
/// made aside and renamed, so several processes may share a store. Callers in one process that want the same package
/// wait for the same unpack. ``KernelStore`` keeps the symbols of kernels beside the packages, under the same rules.
package final class PackageStore: Sendable {
    package let directory: FilePath
    let highWaterMark: UInt64
    let threads: NIOThreadPool
    private let inFlight = Mutex<[String: [CheckedContinuation<Answer, Never>]]>([:])
    /// What is known of the sum of all trees, between two looks at the disk.
    let fill = Mutex<StoreFill>(StoreFill())

    private typealias Answer = Result<PackageLease, PackageStoreError>

    /// - Parameters:
    ///   - directory: The store; made if it is absent.
    ///   - highWaterMark: The sum of all trees, in bytes, above which the least recently used are evicted.
    ///   - threads: Where blocking work runs; the caller keeps it active.
    package init(directory: FilePath, highWaterMark: UInt64 = 50_000_000_000, threads: NIOThreadPool = .singleton) {
        self.directory = directory
        self.highWaterMark = highWaterMark
        self.threads = threads
    }

    /// The tree of the package `sha256`, unpacked from `package` if it is not there yet, and a lease on it.
    ///
    /// The package file is hashed before it is unpacked. Blocking work runs on the thread pool.
    ///
    /// - Throws: ``PackageStoreError``; `altered` when the file's SHA-256 is another.
    package func lease(_ sha256: String, from package: FilePath) async throws(PackageStoreError) -> PackageLease {
        guard Self.isChecksum(sha256) else { throw .invalidChecksum(sha256) }
        let answer = await withCheckedContinuation { (waiter: CheckedContinuation<Answer, Never>) in
            let isFirst = inFlight.withLock { waiters in
                waiters[sha256, default: []].append(waiter)
                return waiters[sha256]?.count == 1
            }
            guard isFirst else { return }
            threads.submit { state in
                let answer =
                    state == .active
                    ? self.leaseOrUnpack(sha256, from: package) : .failure(.inputOutput("the service is stopping"))
                let waiters = self.inFlight.withLock { $0.removeValue(forKey: sha256) } ?? []
                for waiter in waiters { waiter.resume(returning: answer) }
            }
        }
        return try answer.get()
    }

    /// As ``lease(_:from:)`` but without a lease: the tree is safe from eviction for the next ten minutes only, which
    /// is enough to make hard links of it.
    package func tree(of sha256: String, from package: FilePath) async throws(PackageStoreError) -> FilePath {
        try await lease(sha256, from: package).tree
    }

    /// Another process may evict an entry between two steps, so there are some more tries.
    private func leaseOrUnpack(_ sha256: String, from package: FilePath) -> Answer {
        do throws(PackageStoreError) {
            for _ in 0..<5 {
                if let lease = try existingLease(sha256) { return .success(lease) }
                let bytes = try unpack(sha256, from: package)
                // The lease comes first: what was just unpacked is not what eviction may take.
                let lease = try existingLease(sha256)
                noteUnpacked(bytes: bytes)
                if let lease { return .success(lease) }
            }
            return .failure(.inputOutput("an entry is damaged and in use, or evicted as fast as it is made"))
        } catch {
            return .failure(error)
        }
    }

    static func isChecksum(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}
