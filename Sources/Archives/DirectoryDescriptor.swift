// struct stat may come to us through libarchive's headers: which module has it depends on the files compiled together.
import CArchive
import Glibc
package import SystemPackage

/// An open directory; everything is made by a single name relative to it, and no symbolic link is ever followed.
package final class DirectoryDescriptor: Sendable {
    package let descriptor: FileDescriptor

    /// Opens a directory; the last component of `path` must not be a symbolic link.
    ///
    /// - Throws: ``ArchiveError`` with `system` when it is no directory or cannot be opened.
    package init(opening path: FilePath) throws(ArchiveError) {
        let number = path.withCString { open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard number >= 0 else {
            throw ArchiveError("open the directory \(path.lastComponent?.string ?? "/")", errno: errno)
        }
        descriptor = FileDescriptor(rawValue: number)
    }

    init(takingOwnershipOf descriptor: FileDescriptor) { self.descriptor = descriptor }

    deinit { close(descriptor.rawValue) }

    /// Makes a directory and sets its mode whatever the umask is; false when something of that name is there already.
    ///
    /// - Throws: ``ArchiveError`` with `noSpace` or `system`.
    @discardableResult
    package func makeDirectory(_ name: UnsafePointer<CChar>, mode: UInt32) throws(ArchiveError) -> Bool {
        guard mkdirat(descriptor.rawValue, name, mode) == 0 else {
            if errno == EEXIST { return false }
            throw ArchiveError("make a directory", errno: errno)
        }
        guard fchmodat(descriptor.rawValue, name, mode, 0) == 0 else {
            throw ArchiveError("set the mode of a directory", errno: errno)
        }
        return true
    }

    /// Opens the directory of that name; nil when there is none, or when it is a symbolic link or a file.
    ///
    /// - Throws: ``ArchiveError`` with `system`.
    package func openDirectory(_ name: UnsafePointer<CChar>) throws(ArchiveError) -> DirectoryDescriptor? {
        let number = openat(descriptor.rawValue, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if number >= 0 { return DirectoryDescriptor(takingOwnershipOf: FileDescriptor(rawValue: number)) }
        guard [ENOENT, ENOTDIR, ELOOP].contains(errno) else { throw ArchiveError("open a directory", errno: errno) }
        return nil
    }

    /// Makes a new file and sets its mode whatever the umask is; nil when something of that name is there already.
    ///
    /// The caller closes the descriptor.
    ///
    /// - Throws: ``ArchiveError`` with `noSpace` or `system`.
    package func createFile(_ name: UnsafePointer<CChar>, mode: UInt32) throws(ArchiveError) -> FileDescriptor? {
        let number = openat(descriptor.rawValue, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard number >= 0 else {
            if errno == EEXIST { return nil }
            throw ArchiveError("make a file", errno: errno)
        }
        guard fchmod(number, mode) == 0 else {
            let error = ArchiveError("set the mode of a file", errno: errno)
            close(number)
            throw error
        }
        return FileDescriptor(rawValue: number)
    }

    /// Opens a regular file for reading; nil when there is no regular file of that name. The caller closes it.
    ///
    /// - Throws: ``ArchiveError`` with `system`.
    package func openFile(_ name: UnsafePointer<CChar>, writable: Bool = false) throws(ArchiveError) -> FileDescriptor?
    {
        let access = writable ? O_WRONLY : O_RDONLY
        let number = openat(descriptor.rawValue, name, access | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard number >= 0 else {
            if [ENOENT, ELOOP, EISDIR, ENXIO].contains(errno) { return nil }
            throw ArchiveError("open a file", errno: errno)
        }
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(number)
            return nil
        }
        return FileDescriptor(rawValue: number)
    }

    /// The first bytes of a regular file, `count` or as many as there are; nil when there is no regular file of that name.
    ///
    /// - Throws: ``ArchiveError`` with `system`.
    package func readFile(_ name: UnsafePointer<CChar>, count: Int) throws(ArchiveError) -> [UInt8]? {
        guard let file = try openFile(name) else { return nil }
        defer { close(file.rawValue) }
        return try readBytes(file, at: 0, count: count)
    }

    /// Removes a file, or an empty directory; false when there was none.
    ///
    /// - Throws: ``ArchiveError`` with `system`.
    @discardableResult
    package func remove(_ name: UnsafePointer<CChar>, directory: Bool = false) throws(ArchiveError) -> Bool {
        if unlinkat(descriptor.rawValue, name, directory ? AT_REMOVEDIR : 0) == 0 { return true }
        guard errno == ENOENT else { throw ArchiveError("remove what was unpacked", errno: errno) }
        return false
    }

    /// Renames within the directory. Neither name may be a path.
    ///
    /// - Throws: ``ArchiveError`` with `system` or `noSpace`.
    package func rename(_ name: UnsafePointer<CChar>, to newName: UnsafePointer<CChar>) throws(ArchiveError) {
        guard renameat(descriptor.rawValue, name, descriptor.rawValue, newName) == 0 else {
            throw ArchiveError("rename what was unpacked", errno: errno)
        }
    }

    /// Waits until no other process or thread holds the directory's lock, and takes it (flock(2)).
    ///
    /// It ends with this object, or with the process however that ends.
    ///
    /// - Throws: ``ArchiveError`` with `system`.
    package func lock() throws(ArchiveError) {
        while flock(descriptor.rawValue, LOCK_EX) != 0 {
            guard errno == EINTR else { throw ArchiveError("lock a directory", errno: errno) }
        }
    }

    /// How many bytes an unprivileged user may still write to this file system.
    ///
    /// - Throws: ``ArchiveError`` with `system`.
    package func freeBytes() throws(ArchiveError) -> Int64 {
        var status = statvfs()
        guard fstatvfs(descriptor.rawValue, &status) == 0 else {
            throw ArchiveError("read the free space of the disk", errno: errno)
        }
        return Int64(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }
}
