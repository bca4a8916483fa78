import Glibc
import Synchronization
import SystemPackage

/// How full a store is, as far as one process knows.
struct StoreFill {
    var bytes: UInt64 = 0
    /// When the disk was looked at last, on the monotonic clock; nil before the first time.
    var measuredAt: ContinuousClock.Instant?
    /// How many packages this process unpacked.
    var unpacks = 0
}

extension PackageStore {
    /// An entry used so recently stays, leased or not: see ``tree(of:from:)``.
    static let graceSeconds = 600

    /// How many packages this process unpacked, those included for which another process was faster.
    package var unpackCount: Int { fill.withLock { $0.unpacks } }

    /// Counts a new entry in, and evicts when the store is above its high-water mark. Blocking.
    ///
    /// What other processes unpacked is seen once a minute. An eviction that fails leaves the store too full, which the
    /// next unpack meets as a full disk, so it is not an error of this one.
    func noteUnpacked(bytes: UInt64) {
        fill.withLock { $0.unpacks += 1 }
        noteAdded(bytes: bytes)
    }

    /// As ``noteUnpacked(bytes:)`` for what is no package.
    func noteAdded(bytes: UInt64) {
        let isDue = fill.withLock { fill in
            fill.bytes += bytes
            let isStale = fill.measuredAt.map { $0.duration(to: .now) > .seconds(60) } ?? true
            if isStale { fill.measuredAt = .now }
            return isStale || fill.bytes > highWaterMark
        }
        if isDue { evict(sparingSeconds: Self.graceSeconds) }
    }

    /// Removes the least recently used entries until the store is at nine tenths of its high-water mark.
    ///
    /// - Parameter sparingSeconds: Entries used within so many seconds stay; so do leased ones, of any process.
    /// - Returns: The names of what was removed: the SHA-256 of packages, the names of kernels' entries.
    @discardableResult
    package func evict(sparingSeconds: Int) -> [String] {
        let entries = measuredEntries()
        var total = entries.reduce(0) { $0 + $1.bytes }
        var evicted: [String] = []
        if total > highWaterMark {
            let limit = time(nil) - sparingSeconds
            for entry in entries.sorted(by: { $0.lastUse < $1.lastUse })
            where total > highWaterMark / 10 * 9 && entry.lastUse <= limit {
                guard evict(entry.path) else { continue }
                total -= entry.bytes
                evicted.append(entry.name)
            }
        }
        fill.withLock { $0.bytes = total }
        removeStaleAside()
        return evicted
    }

    private struct MeasuredEntry {
        let path: FilePath
        let bytes: UInt64
        let lastUse: Int

        var name: String { path.lastComponent?.string ?? "" }
    }

    private func measuredEntries() -> [MeasuredEntry] {
        let packages = directory.appending("packages")
        let shelves = ((try? namesInDirectory(packages)) ?? []).map { packages.appending($0) } + [kernels]
        return shelves.flatMap { shelf -> [MeasuredEntry] in
            ((try? namesInDirectory(shelf)) ?? []).compactMap { name in
                let path = shelf.appending(name)
                var lock = stat()
                // An entry that another process evicts at this moment is no longer one.
                guard stat(path.appending("lock").string, &lock) == 0,
                    let text = try? readSmallFile(path.appending("bytes"), limit: 256)
                else { return nil }
                return MeasuredEntry(
                    path: path, bytes: EntryStamp(text)?.diskBytes ?? 0, lastUse: lock.st_mtim.tv_sec)
            }
        }
    }

    /// Whether the entry could be taken away: nobody has a lease on it.
    @discardableResult
    func evict(_ entry: FilePath) -> Bool {
        let lock = open(entry.appending("lock").string, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard lock >= 0 else { return false }
        defer {
            flock(lock, LOCK_UN)
            close(lock)
        }
        // The lock must still be the entry's: another process may have evicted and remade the entry since the open.
        guard flock(lock, LOCK_EX | LOCK_NB) == 0, isLock(lock, of: entry) else { return false }
        let gone = temporaryName("evicted")
        guard rename(entry.string, gone.string) == 0 else { return false }
        // What cannot be deleted now is deleted with the other stale ones later.
        try? removeTree(gone)
        return true
    }

    /// Deletes what processes left aside that died in the middle, a day after.
    private func removeStaleAside() {
        for name in (try? namesInDirectory(aside)) ?? [] {
            var status = stat()
            let path = aside.appending(name)
            guard lstat(path.string, &status) == 0, status.st_mtim.tv_sec < time(nil) - 86400 else { continue }
            try? removeTree(path)
        }
    }
}
