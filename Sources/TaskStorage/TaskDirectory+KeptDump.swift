import Glibc
package import SystemPackage

extension TaskDirectory {
    /// Marks a task whose dump stays when the task ends, for whoever opens it again: the debug and interactive types 1, 3
    /// and 4 of ABRT's API. The dump then goes with the whole task. Blocking.
    ///
    /// - Throws: `Errno` of open(2).
    package func keepDump() throws(Errno) {
        do {
            try FileDescriptor.open(
                dumpMark, .writeOnly, options: [.create, .noFollow, .closeOnExec], permissions: [.ownerReadWrite]
            ).close()
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// Whether ``keepDump()`` was called. Blocking.
    package var keepsDump: Bool { (try? ResultFile(at: dumpMark)) != nil }

    /// The same for whoever may not look into the directory. Blocking.
    ///
    /// - Throws: `Errno` of open(2), such as `permissionDenied`.
    package func isKept() throws(Errno) -> Bool { try ResultFile(at: dumpMark) != nil }

    /// Keeps everybody else who asks for it from changing the kept dump, until the value is gone. Blocking, but not for others.
    ///
    /// - Returns: nil while somebody else has it.
    /// - Throws: `Errno`; `noSuchFileOrDirectory` when no dump is kept, or the task is gone.
    package func lockKeptDump() throws(Errno) -> KeptDumpLock? { try KeptDumpLock(dumpMark) }

    private var dumpMark: FilePath { path.appending("keep-dump") }
}

/// The right to change a kept dump, by flock(2); given back with the last reference.
package final class KeptDumpLock: Sendable {
    private let descriptor: CInt

    fileprivate init?(_ mark: FilePath) throws(Errno) {
        // NFS locks only what is open for writing.
        descriptor = mark.withPlatformString { open($0, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return nil
            default: throw Errno(rawValue: errno)
            }
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
