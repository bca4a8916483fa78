import Glibc
package import SystemPackage

/// Deletes a file or a directory with everything in it, following no symbolic link; what is not there is fine. Blocking.
///
/// - Throws: `Errno` of the first thing that could not be deleted.
package func removeTree(_ path: FilePath) throws(Errno) {
    try removeEntry(path.string, in: AT_FDCWD)
}

private func removeEntry(_ name: String, in parent: Int32) throws(Errno) {
    if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
    guard errno == EISDIR || errno == EPERM else { throw Errno(rawValue: errno) }
    let number = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { throw Errno(rawValue: errno) }
    guard let directory = fdopendir(number) else {
        let error = Errno(rawValue: errno)
        close(number)
        throw error
    }
    defer { closedir(directory) }
    for name in try names(in: directory) { try removeEntry(name, in: number) }
    guard unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
}
