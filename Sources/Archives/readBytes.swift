import Glibc
import SystemPackage

/// Up to `count` bytes at `offset`; fewer at the end of the file.
///
/// - Throws: ``ArchiveError`` with `system`.
func readBytes(_ descriptor: FileDescriptor, at offset: Int64, count: Int) throws(ArchiveError) -> [UInt8] {
    var failure: Int32?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
        while length < count {
            let read = pread(
                descriptor.rawValue, buffer.baseAddress?.advanced(by: length), count - length,
                off_t(offset) + off_t(length))
            if read < 0, errno == EINTR { continue }
            if read < 0 { failure = errno }
            if read <= 0 { return }
            length += read
        }
    }
    if let failure { throw ArchiveError("read a file", errno: failure) }
    return bytes
}
