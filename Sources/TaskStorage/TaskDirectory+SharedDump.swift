package import CrashModel
import Glibc
package import SystemPackage

extension TaskDirectory {
    /// What became of the wish to keep equal files of dumps once.
    package enum DumpSharing: Hashable, Sendable {
        /// No kept file has the same bytes.
        case unique
        /// The file is one with that of the other task now; so many bytes of disk were given back.
        case shared(with: TaskID, savedBytes: Int)
    }

    /// Where kept dumps are known by their content: `<spool>/.dumps/<digest>/<task>:<file>`, files without bytes.
    ///
    /// The registry holds names and no links, so the bytes of a dump go with the last task that has them, and a registry
    /// that is lost or stale costs nothing but a dump that is kept twice.
    private static func registry(in spool: FilePath) -> FilePath { spool.appending(".dumps") }

    /// Makes a kept dump one file with the dump of another task that has the same bytes, by a hard link; of VMware's two
    /// files each by itself.
    ///
    /// The digest only says where to look: both files are compared byte by byte before one takes the other's place, which
    /// it does in one step (rename(2)), so that no moment and no error leaves a task without its dump. A file system
    /// without links, or with too many on one file, leaves the dump as it is. Blocking for as long as the dump is read; its
    /// holes are not read.
    ///
    /// A dump that is a link to an operator's own file (``hasLinkedDump``) takes no part in it.
    ///
    /// - Returns: What became of each of ``dumps(of:)`` that is in the task, in that order.
    /// - Throws: `Errno` when the dump cannot be read or the registry not be written.
    package func shareKeptDump(_ kernel: KernelDump) throws(Errno) -> [DumpSharing] {
        let names = [kernel.file] + [kernel.memoryFile].compactMap(\.self)
        // A link to an operator's file takes no space of the task's.
        guard !hasLinkedDump else { return names.map { _ in .unique } }
        var sharings: [DumpSharing] = []
        for name in names where !name.hasPrefix("/") { sharings.append(try share(name)) }
        return sharings
    }

    /// - Parameter file: Its name in ``crash``.
    private func share(_ file: String) throws(Errno) -> DumpSharing {
        let dump = dump(at: file)
        guard let own = try ResultFile(at: dump), own.byteCount > 0 else { return .unique }
        let registry = Self.registry(in: path.removingLastComponent())
        let entry = registry.appending(try own.contentDigest())
        for folder in [registry, entry] {
            guard mkdir(folder.string, 0o700) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
        }
        let name = "\(task):\(file)"
        do {
            // First, so that of two tasks that end at once at least the later one finds the other.
            try FileDescriptor.open(
                entry.appending(name), .writeOnly, options: [.create, .noFollow, .closeOnExec],
                permissions: [.ownerReadWrite]
            ).close()
        } catch {
            throw error as? Errno ?? .ioError
        }
        for other in try Self.names(in: entry).sorted() where other != name {
            guard let (task, path) = Self.dump(named: other, in: self.path.removingLastComponent()),
                let found = try? ResultFile(at: path)
            else {
                unlink(entry.appending(other).string)
                continue
            }
            if found.isSameFile(as: own) { return .shared(with: task, savedBytes: 0) }
            guard try found.hasSameBytes(as: own) else { continue }
            guard try take(path, as: dump) else { continue }
            return .shared(with: task, savedBytes: own.byteCount)
        }
        return .unique
    }

    /// Forgets dumps whose tasks are gone. Blocking.
    ///
    /// - Throws: `Errno` when the registry cannot be listed; not when there is none.
    package static func forgetSharedDumps(in spool: FilePath) throws(Errno) {
        let registry = registry(in: spool)
        let digests: [String]
        do {
            digests = try names(in: registry)
        } catch Errno.noSuchFileOrDirectory {
            return
        }
        for digest in digests {
            let entry = registry.appending(digest)
            for name in (try? names(in: entry)) ?? [] {
                if let (_, path) = dump(named: name, in: spool), (try? ResultFile(at: path)) != nil { continue }
                unlink(entry.appending(name).string)
            }
            // Only an empty one goes.
            rmdir(entry.string)
        }
    }

    private static func dump(named name: String, in spool: FilePath) -> (TaskID, FilePath)? {
        let parts = name.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let task = try? TaskID(String(parts[0])), !parts[1].contains("/"),
            !parts[1].hasPrefix(".")
        else { return nil }
        let directory = TaskDirectory(task, in: spool)
        // What the operator writes into his own file would be another task's dump.
        guard !directory.hasLinkedDump else { return nil }
        return (task, directory.crash.appending(String(parts[1])))
    }

    /// Links `other` into the place of `own`; false where the file system does not let it, or `other` has just gone.
    private func take(_ other: FilePath, as own: FilePath) throws(Errno) -> Bool {
        let temporary = FilePath(own.string + ".shared")
        unlink(temporary.string)
        guard link(other.string, temporary.string) == 0 else {
            guard [EXDEV, EMLINK, EPERM, ENOENT, ENOSYS, EOPNOTSUPP].contains(errno) else {
                throw Errno(rawValue: errno)
            }
            return false
        }
        guard rename(temporary.string, own.string) == 0 else {
            let reason = Errno(rawValue: errno)
            unlink(temporary.string)
            throw reason
        }
        return true
    }
}
