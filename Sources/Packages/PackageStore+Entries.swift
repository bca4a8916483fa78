import Archives
import Glibc
import SystemPackage

extension PackageStore {
    func entry(_ sha256: String) -> FilePath {
        directory.appending("packages").appending(String(sha256.prefix(2))).appending(sha256)
    }

    /// Where entries are made and where evicted ones go to be deleted; on the file system of the entries.
    var aside: FilePath { directory.appending("aside") }

    func temporaryName(_ word: String) -> FilePath {
        aside.appending("\(word).\(getpid()).\(UInt32.random(in: 0 ... .max))")
    }

    func existingLease(_ sha256: String) throws(PackageStoreError) -> PackageLease? {
        try existingLease(at: entry(sha256))
    }

    /// A lease on an entry that is there, and a note of its use; nil when it is not. Blocking.
    func existingLease(at entry: FilePath) throws(PackageStoreError) -> PackageLease? {
        let path = entry.appending("lock")
        let number = open(path.string, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard number >= 0 else {
            if errno == ENOENT { return nil }
            throw .inputOutput("an entry's lock cannot be opened: \(Errno(rawValue: errno))")
        }
        let lease = PackageLease(
            tree: entry.appending("tree"), takingOwnershipOf: FileDescriptor(rawValue: number))
        // Eviction holds the exclusive lock for the moment of one rename, and then this is no longer the entry's lock.
        while flock(number, LOCK_SH) != 0 {
            guard errno == EINTR else { throw .inputOutput("an entry cannot be locked: \(Errno(rawValue: errno))") }
        }
        guard isLock(number, of: entry) else { return nil }
        guard try isWhole(entry) else {
            flock(number, LOCK_UN)
            evict(entry)
            return nil
        }
        if futimens(number, nil) != 0 {
            throw .inputOutput("an entry cannot be marked as used: \(Errno(rawValue: errno))")
        }
        return lease
    }

    /// Whether the tree is as it was unpacked; looked at once after every start of the machine.
    private func isWhole(_ entry: FilePath) throws(PackageStoreError) -> Bool {
        let path = entry.appending("bytes")
        do throws(Errno) {
            guard var stamp = EntryStamp(try readSmallFile(path, limit: 256)) else { return false }
            if stamp.bootID == EntryStamp.currentBootID { return true }
            guard try contentBytes(below: entry.appending("tree")) == stamp.contentBytes else { return false }
            stamp.bootID = EntryStamp.currentBootID
            try replaceFile(path, with: stamp.bytes)
            return true
        } catch .noSuchFileOrDirectory {
            return false
        } catch {
            throw Self.failure(error)
        }
    }

    /// Whether the open file is what the entry's lock file is now.
    func isLock(_ descriptor: Int32, of entry: FilePath) -> Bool {
        var opened = stat()
        var named = stat()
        return fstat(descriptor, &opened) == 0 && stat(entry.appending("lock").string, &named) == 0
            && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    /// Makes the entry aside and renames it into place; when another process was faster, its entry stays.
    ///
    /// - Returns: The size of the tree in bytes, with 4096 for every file and directory; 0 when another was faster.
    func unpack(_ sha256: String, from package: FilePath) throws(PackageStoreError) -> UInt64 {
        try verify(package, sha256)
        let entry = entry(sha256)
        let new = temporaryName("unpacking")
        try makeDirectories(aside)
        try makeDirectories(entry.removingLastComponent())
        try makeDirectories(new)
        do throws(PackageStoreError) {
            let unpacked = try unpackTree(package, into: new.appending("tree"))
            let content = UInt64(clamping: unpacked.bytes)
            let stamp = EntryStamp(
                contentBytes: content, diskBytes: content + 4096 * UInt64(unpacked.files + unpacked.directories))
            do throws(Errno) {
                try writeNewFile(new.appending("bytes"), stamp.bytes)
                try writeNewFile(new.appending("lock"), [])
            } catch {
                throw Self.failure(error)
            }
            if rename(new.string, entry.string) == 0 { return stamp.diskBytes }
            guard errno == ENOTEMPTY || errno == EEXIST else { throw Self.failure(Errno(rawValue: errno)) }
            try removeAside(new)
            return 0
        } catch {
            try removeAside(new)
            throw error
        }
    }

    /// - Throws: ``PackageStoreError`` with `altered` or `unreadable`.
    func verify(_ package: FilePath, _ sha256: String) throws(PackageStoreError) {
        let digest: (sha256: String, byteCount: UInt64)
        do throws(Errno) {
            digest = try packageDigest(of: package)
        } catch {
            throw .unreadable(String(describing: error))
        }
        guard digest.sha256 == sha256 else { throw .altered(expected: sha256, found: digest.sha256) }
    }

    private func unpackTree(_ package: FilePath, into tree: FilePath) throws(PackageStoreError) -> UnpackedPackage {
        do throws(ArchiveError) {
            return try unpackPackage(package, into: tree)
        } catch {
            throw Self.failure(error)
        }
    }

    func makeDirectories(_ path: FilePath) throws(PackageStoreError) {
        if mkdir(path.string, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, path.components.count > 1 else { throw Self.failure(Errno(rawValue: errno)) }
        try makeDirectories(path.removingLastComponent())
        guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else { throw Self.failure(Errno(rawValue: errno)) }
    }

    func removeAside(_ path: FilePath) throws(PackageStoreError) {
        do throws(Errno) { try removeTree(path) } catch { throw Self.failure(error) }
    }

    static func failure(_ error: ArchiveError) -> PackageStoreError {
        switch error.code {
        case .noSpace: .diskFull
        case .system: .inputOutput(error.message)
        case .notAnArchive, .truncated, .damaged, .unsupported, .tooManyEntries, .tooManyBytes:
            .unpackable(error.message)
        }
    }

    static func failure(_ error: Errno) -> PackageStoreError {
        error == .noSpace || error == .diskQuotaExceeded ? .diskFull : .inputOutput(String(describing: error))
    }
}
