import Glibc
package import SystemPackage

/// A finished file of a task, open for reading; the descriptor is closed with the last reference.
///
/// A symbolic link in the file's place is refused: what writes there runs beside a debugger that may be compromised.
package final class ResultFile: Sendable {
    private let descriptor: CInt
    /// The size when it was opened, in bytes.
    package let byteCount: Int
    /// What the file took of the disk when it was opened, in bytes: its holes take nothing.
    package let allocatedBytes: Int
    /// What changes whenever the file is written anew: inode, size and time of its last change, as hexadecimal words.
    package let version: String

    /// Opens a file; nil when there is none. Blocking.
    ///
    /// - Throws: `Errno` of open(2) or fstat(2); `invalidArgument` when it is no regular file.
    package init?(at path: FilePath) throws(Errno) {
        // O_NONBLOCK: opening a FIFO that somebody put there must not wait for a writer.
        descriptor = path.withPlatformString { open($0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else {
            byteCount = 0
            allocatedBytes = 0
            version = ""
            let reason = Errno(rawValue: errno)
            guard reason == .noSuchFileOrDirectory else { throw reason }
            return nil
        }
        var facts = stat()
        let answer = fstat(descriptor, &facts)
        byteCount = Int(facts.st_size)
        // stat(2) counts in these units, whatever the block size of the file system is.
        allocatedBytes = Int(facts.st_blocks) * 512
        version = [Int(facts.st_ino), byteCount, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec]
            .map { String($0, radix: 16) }.joined(separator: "-")
        guard answer == 0 else { throw Errno(rawValue: errno) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw Errno.invalidArgument }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Calls `body` with the open file, which stays ours.
    package func withDescriptor<Value>(_ body: (FileDescriptor) throws -> Value) rethrows -> Value {
        try body(FileDescriptor(rawValue: descriptor))
    }

    /// Up to `count` bytes from `offset` on; fewer only at the end of the file. Blocking.
    ///
    /// - Throws: `Errno` of pread(2).
    package func read(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, offset + filled)
                if got > 0 {
                    filled += got
                } else if got == 0 {
                    return
                } else if errno != EINTR {
                    failure = Errno(rawValue: errno)
                    return
                }
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
