import Glibc
package import SystemPackage

extension SandboxUser {
    /// Lets this user read a file of ours, or also write it, by its group. Blocking.
    ///
    /// A service that is not root runs programs as itself, and nothing changes.
    ///
    /// - Parameter isOurs: Whether it may be changed at all. An operator's own file may not; one that is linked into a task
    ///   has several names.
    /// - Throws: `Errno`; `invalidArgument` when it is no regular file, `permissionDenied` when this user may not read it and
    ///   its readers are not ours to decide about.
    package func share(_ path: FilePath, writable: Bool = false, isOurs: Bool = true) throws(Errno) {
        // O_NONBLOCK: opening a FIFO that somebody put there must not wait for a writer.
        let descriptor = open(path.string, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw Errno(rawValue: errno) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw Errno.invalidArgument }
        guard geteuid() == 0 else { return }
        let wanted: mode_t = writable ? 0o060 : 0o040
        if !writable, facts.st_mode & 0o004 != 0 { return }
        if facts.st_gid == groupID, facts.st_mode & wanted == wanted { return }
        guard isOurs, writable || facts.st_nlink == 1 || facts.st_gid == groupID else { throw Errno.permissionDenied }
        guard fchown(descriptor, .max, groupID) == 0, fchmod(descriptor, facts.st_mode & 0o7777 | wanted) == 0 else {
            throw Errno(rawValue: errno)
        }
    }
}
