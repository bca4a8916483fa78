import CrashModel
import ELF
import Glibc
import SystemPackage

/// The entry of one kernel in the store. Blocking.
///
/// `kernels/<build-id>/` has what every entry has, and besides `filling` (flock(2): who adds to the tree) and, for a package
/// that was read to its end, `modules.<sha256>`: the paths of all modules in it, a line each, and `end`. Each file is written aside and renamed
/// into the tree, so whoever has a lease sees whole files only.
struct KernelShelf: Sendable {
    let store: PackageStore
    let request: KernelRequest

    var entry: FilePath { store.kernels.appending(request.entryName) }
    var tree: FilePath { entry.appending("tree") }

    /// A lease on the entry, which is made if it is not there.
    func open() throws(PackageStoreError) -> PackageLease {
        for _ in 0..<5 {
            if let lease = try store.existingLease(at: entry) { return lease }
            try create()
        }
        throw .inputOutput("an entry is damaged and in use, or evicted as fast as it is made")
    }

    private func create() throws(PackageStoreError) {
        let new = store.temporaryName("kernel")
        for path in [store.aside, store.kernels, new, new.appending("tree")] { try store.makeDirectories(path) }
        do throws(Errno) {
            try writeNewFile(new.appending("bytes"), EntryStamp(contentBytes: 0, diskBytes: 0).bytes)
            try writeNewFile(new.appending("filling"), [])
            try writeNewFile(new.appending("lock"), [])
            guard rename(new.string, entry.string) == 0 || errno == ENOTEMPTY || errno == EEXIST else {
                throw Errno(rawValue: errno)
            }
        } catch {
            // The first failure is what is told; what cannot be deleted now is deleted with the other stale ones.
            try? removeTree(new)
            throw PackageStore.failure(error)
        }
        // It is still there when another was faster.
        try store.removeAside(new)
    }

    /// The right to add to the tree, for one who has a lease; nil while another has it.
    func fillLock() throws(PackageStoreError) -> FillLock? {
        let path = entry.appending("filling")
        let number = Glibc.open(path.string, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard number >= 0 else { throw PackageStore.failure(Errno(rawValue: errno)) }
        let lock = FillLock(takingOwnershipOf: FileDescriptor(rawValue: number))
        while flock(number, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return nil }
            guard errno == EINTR else { throw PackageStore.failure(Errno(rawValue: errno)) }
        }
        return lock
    }

    private var word: String { "extracting-\(request.entryName)" }

    /// Deletes what a process left that died while it filled the entry. Only the holder of the ``FillLock`` may.
    func removeLeftOvers() {
        for name in (try? namesInDirectory(store.aside)) ?? [] where name.hasPrefix(word + ".") {
            unlink(store.aside.appending(name).string)
        }
    }

    /// Where a file is written before it has its name in the tree.
    func newFile() throws(PackageStoreError) -> (path: FilePath, file: FileDescriptor) {
        let path = store.temporaryName(word)
        let number = Glibc.open(path.string, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        // The sandbox's user reads it through its hard link, whatever the umask is.
        guard number >= 0, fchmod(number, 0o644) == 0 else {
            let error = Errno(rawValue: errno)
            if number >= 0 { close(number) }
            throw PackageStore.failure(error)
        }
        return (path, FileDescriptor(rawValue: number))
    }

    /// Gives a whole file its name in the tree.
    ///
    /// - Parameter path: Absolute, of plain components.
    /// - Returns: false when the package itself has something else in the way.
    func publish(_ file: FilePath, as path: String) throws(PackageStoreError) -> Bool {
        let place = tree.appending(String(path.dropFirst()))
        do throws(Errno) {
            try Self.makeDirectories(place.removingLastComponent())
            guard rename(file.string, place.string) == 0 else { throw Errno(rawValue: errno) }
            return true
        } catch .notDirectory, .isDirectory, .directoryNotEmpty, .fileNameTooLong {
            unlink(file.string)
            return false
        } catch {
            unlink(file.string)
            throw PackageStore.failure(error)
        }
    }

    private static func makeDirectories(_ path: FilePath) throws(Errno) {
        if mkdir(path.string, 0o755) == 0 || errno == EEXIST { return }
        let error = Errno(rawValue: errno)
        guard error == .noSuchFileOrDirectory else { throw error }
        try makeDirectories(path.removingLastComponent())
        guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    }

    /// Whether a file may stand as vmlinux in this entry: it is ELF, and its build-id is the dump's where that has one.
    func check(vmlinux file: FilePath) throws(PackageStoreError) {
        let found: BuildID?
        do throws(ELFError) {
            found = try ELFFile(FileByteSource(file)).identity().buildID
        } catch {
            throw .unusableKernel("cannot be used: \(error)")
        }
        guard let expected = request.buildID else { return }
        guard found == expected else { throw .otherKernel(expected: expected, found: found) }
    }

    /// Writes down how large the tree is, and returns by how much it grew, in bytes.
    func stamp() throws(PackageStoreError) -> UInt64 {
        let path = entry.appending("bytes")
        do throws(Errno) {
            let former = EntryStamp(try readSmallFile(path, limit: 256))?.diskBytes ?? 0
            let content = try contentBytes(below: tree)
            // The directories of a kernel's modules are few hundred, and blocks are rounded up.
            let stamp = EntryStamp(contentBytes: content, diskBytes: content + content / 256)
            // A stamp that a power failure cuts costs another extraction, and no more.
            try replaceFile(path, with: stamp.bytes, flushing: false)
            return stamp.diskBytes - min(former, stamp.diskBytes)
        } catch {
            throw PackageStore.failure(error)
        }
    }

    private var list: FilePath { entry.appending("modules.\(request.sha256)") }
    private static let listLimit = 8 << 20

    /// The last line of a list that no power failure has cut.
    private static let listEnd = "end"

    /// The paths of all modules in the package; nil when it was never read to its end.
    func listedPaths() -> [String]? {
        guard let bytes = try? readSmallFile(list, limit: Self.listLimit) else { return nil }
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        return lines.popLast() == Self.listEnd ? lines : nil
    }

    func writeList(_ paths: [String]) throws(PackageStoreError) {
        let bytes = Array((paths.sorted() + [Self.listEnd]).map { $0 + "\n" }.joined().utf8)
        // Without the list the package is read again whenever a module is missing, which is slow and no fault.
        guard bytes.count <= Self.listLimit else { return }
        do throws(Errno) {
            try replaceFile(list, with: bytes, flushing: false)
        } catch {
            throw PackageStore.failure(error)
        }
    }
}

/// The right to add to one entry. The kernel ends it with the process.
final class FillLock: Sendable {
    private let descriptor: FileDescriptor

    init(takingOwnershipOf descriptor: FileDescriptor) { self.descriptor = descriptor }

    deinit {
        // As with leases: a child that is being started has a copy of the descriptor.
        flock(descriptor.rawValue, LOCK_UN)
        try? descriptor.close()
    }
}

extension PackageStore {
    /// Where the entries of kernels are.
    var kernels: FilePath { directory.appending("kernels") }
}
