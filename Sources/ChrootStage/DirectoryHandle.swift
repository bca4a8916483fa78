import Glibc
import SystemPackage

/// A descriptor of a directory, closed with the object; names are looked up relative to it, never through a link.
///
/// Packages decide on the names and links below, so no path with more than one component is ever given to the kernel.
/// Blocking, and used by one thread at a time.
final class DirectoryHandle {
    private let number: CInt

    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    /// - Throws: `Errno` of open(2): `notDirectory` when the last component is a link or no directory.
    init(_ path: FilePath) throws(Errno) {
        number = path.withPlatformString { open($0, Self.flags) }
        guard number >= 0 else { throw Errno(rawValue: errno) }
    }

    /// - Throws: `Errno` of openat(2).
    init(_ name: [CChar], in parent: DirectoryHandle) throws(Errno) {
        number = openat(parent.number, name, Self.flags)
        guard number >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(number) }

    /// Opens the directory `name`, which is made with mode 0755 if it is absent.
    ///
    /// - Throws: `Errno` of mkdirat(2) and openat(2): `notDirectory` when the name is something else already.
    func makingDirectory(_ name: [CChar]) throws(Errno) -> DirectoryHandle {
        let isNew = mkdirat(number, name, 0o755) == 0
        guard isNew || errno == EEXIST else { throw Errno(rawValue: errno) }
        let made = try DirectoryHandle(name, in: self)
        // The umask may have taken bits away that the sandbox's user needs.
        if isNew, fchmod(made.number, 0o755) != 0 { throw Errno(rawValue: errno) }
        return made
    }

    /// Every name in the directory but `.` and `..`, in the directory's order.
    ///
    /// - Throws: `Errno` of readdir(3).
    func entries() throws(Errno) -> [DirectoryEntry] {
        // fdopendir takes over the descriptor that it is given, and the offset is shared with ours.
        let copy = openat(number, ".", Self.flags)
        guard copy >= 0 else { throw Errno(rawValue: errno) }
        guard let stream = fdopendir(copy) else {
            let reason = Errno(rawValue: errno)
            close(copy)
            throw reason
        }
        defer { closedir(stream) }
        var entries: [DirectoryEntry] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) }
            }
            if name != [0x2e], name != [0x2e, 0x2e] {
                let known = DirectoryEntry.Kind(entry.pointee.d_type)
                entries.append(DirectoryEntry(name: name + [0], kind: known ?? kind(of: name + [0]) ?? .other))
            }
            errno = 0
        }
        guard errno == 0 else { throw Errno(rawValue: errno) }
        return entries
    }

    /// What `name` is, a link not followed; nil when there is nothing of that name.
    func kind(of name: [CChar]) -> DirectoryEntry.Kind? {
        status(of: name).map { DirectoryEntry.Kind(mode: $0.st_mode) }
    }

    func status(of name: [CChar]) -> stat? {
        var status = stat()
        return fstatat(number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
    }

    /// Where the link `name` leads, as it is written.
    ///
    /// - Throws: `Errno` of readlinkat(2).
    func target(of name: [CChar]) throws(Errno) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlinkat(number, name, &buffer, buffer.count)
        guard count >= 0 else { throw Errno(rawValue: errno) }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Gives the file or link `name` of `source` a second name here; a link is linked itself, never what it leads to.
    ///
    /// - Throws: `Errno` of linkat(2): `fileExists` when the name is taken.
    func link(_ name: [CChar], from source: DirectoryHandle, as newName: [CChar]) throws(Errno) {
        guard linkat(source.number, name, number, newName, 0) == 0 else { throw Errno(rawValue: errno) }
    }

    /// - Throws: `Errno` of symlinkat(2).
    func makeLink(_ name: [CChar], to target: String) throws(Errno) {
        guard symlinkat(target, number, name) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Deletes everything in the directory, and everything below; links go, what they lead to stays.
    ///
    /// - Throws: `Errno` of the first entry that would not go.
    func removeContents() throws(Errno) {
        for entry in try entries() {
            guard entry.kind == .directory else {
                guard unlinkat(number, entry.name, 0) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
                continue
            }
            try DirectoryHandle(entry.name, in: self).removeContents()
            try removeDirectory(entry.name)
        }
    }

    /// - Throws: `Errno` of unlinkat(2); a file that is gone already is fine.
    func removeFile(_ name: [CChar]) throws(Errno) {
        guard unlinkat(number, name, 0) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
    }

    /// - Throws: `Errno` of unlinkat(2); a directory that is gone already is fine.
    func removeDirectory(_ name: [CChar]) throws(Errno) {
        guard unlinkat(number, name, AT_REMOVEDIR) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
    }
}
