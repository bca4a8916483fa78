import Glibc
import SystemPackage

/// The bytes of a file from one offset to another, read in blocks for libarchive.
///
/// It remembers what libarchive does not tell: whether more was asked for than there is, and what the kernel said.
final class ArchiveSource {
    private let descriptor: Int32
    private var position: Int64
    private let end: Int64
    private let start: Int64
    private let block: UnsafeMutableRawBufferPointer
    /// Whether libarchive wanted to read beyond the end.
    private(set) var wasExhausted = false
    /// The error of the last read that failed.
    private(set) var failure: Errno?

    /// - Parameters:
    ///   - descriptor: Borrowed: the caller keeps it open as long as this lives.
    ///   - range: The bytes to give; beyond the end of the file there is nothing.
    init(_ descriptor: FileDescriptor, range: Range<Int64>) {
        self.descriptor = descriptor.rawValue
        position = range.lowerBound
        start = range.lowerBound
        end = range.upperBound
        block = .allocate(byteCount: 256 * 1024, alignment: 4096)
    }

    deinit { block.deallocate() }

    /// How many bytes libarchive took so far.
    var bytesRead: Int64 { position - start }

    /// Reads the next block; its length, 0 at the end, −1 on an error.
    func read(_ result: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
        let wanted = Int(min(Int64(block.count), end - position))
        var count = 0
        if wanted > 0 {
            repeat {
                count = pread(descriptor, block.baseAddress, wanted, off_t(position))
            } while count < 0 && errno == EINTR
        }
        if count < 0 { failure = Errno(rawValue: errno) }
        if count == 0 { wasExhausted = true }
        position += Int64(max(count, 0))
        result?.pointee = UnsafeRawPointer(block.baseAddress)
        return count
    }
}
