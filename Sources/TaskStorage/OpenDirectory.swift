import Glibc
import SystemPackage

/// A descriptor of a directory, closed with the value; names are looked up relative to it, never through a link.
struct OpenDirectory: ~Copyable {
    let number: CInt

    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    /// - Throws: `Errno` of open(2): `notDirectory` or `tooManySymbolicLinkLevels` when the last component is no directory.
    init(at path: FilePath) throws(Errno) {
        number = path.withPlatformString { open($0, Self.flags) }
        guard number >= 0 else { throw Errno(rawValue: errno) }
    }

    /// - Throws: `Errno` of openat(2).
    init(_ name: String, in parent: borrowing OpenDirectory) throws(Errno) {
        number = openat(parent.number, name, Self.flags)
        guard number >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(number) }

    /// Every name in the directory but `.` and `..`.
    ///
    /// - Throws: `Errno` of readdir(3).
    func names() throws(Errno) -> [String] {
        // fdopendir takes over the descriptor that it is given, and the offset is shared with ours.
        let copy = openat(number, ".", Self.flags)
        guard copy >= 0 else { throw Errno(rawValue: errno) }
        guard let stream = fdopendir(copy) else {
            let reason = Errno(rawValue: errno)
            close(copy)
            throw reason
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw Errno(rawValue: errno) }
        return names
    }

    /// Deletes everything in the directory, and everything below.
    ///
    /// - Throws: `Errno` of the first entry that would not go.
    func removeContents() throws(Errno) {
        for name in try names() { try remove(name) }
    }

    /// Deletes the entry `name` with everything below it, unless it is gone already.
    ///
    /// - Throws: `Errno` of the first entry that would not go.
    func remove(_ name: String) throws(Errno) {
        if unlinkat(number, name, 0) == 0 || errno == ENOENT { return }
        let reason = Errno(rawValue: errno)
        // unlink(2) on Linux answers EISDIR for a directory, other systems EPERM.
        guard reason == .isDirectory || reason == .notPermitted else { throw reason }
        try OpenDirectory(name, in: self).removeContents()
        try removeDirectory(name)
    }

    /// Deletes the empty directory `name`.
    ///
    /// - Throws: `Errno` of unlinkat(2), unless it is gone already.
    func removeDirectory(_ name: String) throws(Errno) {
        guard unlinkat(number, name, AT_REMOVEDIR) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
    }
}
