import Glibc
package import SystemPackage

/// Writes the blocks of one file at their offsets, and leaves holes where it can.
///
/// It closes the file: in ``finish(byteCount:)``, which says how that went, or else when it is let go.
package final class FileContentWriter {
    private let descriptor: Int32
    private let leavesHoles: Bool
    private var isOpen = true
    /// How many bytes were really written, without the holes.
    package private(set) var storedBytes: Int64 = 0

    /// - Parameters:
    ///   - descriptor: The file.
    ///   - leavesHoles: Whether blocks of 4 KiB of zeros become holes; worth it for cores, not for packages.
    package init(takingOwnershipOf descriptor: FileDescriptor, leavesHoles: Bool) {
        self.descriptor = descriptor.rawValue
        self.leavesHoles = leavesHoles
    }

    deinit {
        if isOpen { close(descriptor) }
    }

    /// - Throws: ``ArchiveError`` with `noSpace` or `system`.
    package func write(_ block: ArchiveBlock) throws(ArchiveError) {
        guard leavesHoles else { return try store(block.bytes[...], at: block.offset) }
        var rest = block.bytes[...]
        var offset = block.offset
        while !rest.isEmpty {
            let hole = Self.countOfZeros(rest, at: offset)
            rest = rest.dropFirst(hole)
            offset += Int64(hole)
            let data = Self.countOfData(rest, at: offset)
            try store(rest.prefix(data), at: offset)
            rest = rest.dropFirst(data)
            offset += Int64(data)
        }
    }

    /// Gives the file its size, which makes what was left out at its end a hole, and closes it.
    ///
    /// - Parameter modified: When the content was made, in seconds since the epoch; nil leaves the time of writing.
    /// - Throws: ``ArchiveError`` with `noSpace` or `system`; some file systems tell of a full disk only now.
    package func finish(byteCount: Int64, modified: Int64? = nil) throws(ArchiveError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw ArchiveError("size a file", errno: errno) }
        if let modified {
            let time = timespec(tv_sec: Int(max(0, min(modified, Self.latestTime))), tv_nsec: 0)
            guard futimens(descriptor, [time, time]) == 0 else { throw ArchiveError("date a file", errno: errno) }
        }
        isOpen = false
        guard close(descriptor) == 0 else { throw ArchiveError("write a file", errno: errno) }
    }

    private func store(_ bytes: Slice<UnsafeRawBufferPointer>, at offset: Int64) throws(ArchiveError) {
        var rest = UnsafeRawBufferPointer(rebasing: bytes)
        var position = offset
        while !rest.isEmpty {
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(position))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ArchiveError("write a file", errno: count < 0 ? errno : ENOSPC) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            position += Int64(count)
        }
        storedBytes += Int64(bytes.count)
    }

    /// The length of the run of whole zero pages at the front.
    private static func countOfZeros(_ bytes: Slice<UnsafeRawBufferPointer>, at offset: Int64) -> Int {
        var count = 0
        while let page = page(bytes.dropFirst(count), at: offset + Int64(count)), isZero(page) { count += page.count }
        return count
    }

    /// The length of the run of pages at the front that hold anything.
    private static func countOfData(_ bytes: Slice<UnsafeRawBufferPointer>, at offset: Int64) -> Int {
        var count = 0
        while let page = page(bytes.dropFirst(count), at: offset + Int64(count)), !isZero(page) { count += page.count }
        return count
    }

    /// The bytes up to the file's next multiple of 4 KiB.
    private static func page(_ bytes: Slice<UnsafeRawBufferPointer>, at offset: Int64) -> Slice<UnsafeRawBufferPointer>?
    {
        bytes.isEmpty ? nil : bytes.prefix(4096 - Int(offset & 4095))
    }

    private static func isZero(_ page: Slice<UnsafeRawBufferPointer>) -> Bool {
        zeroPage.withUnsafeBytes { zeros in
            let bytes = UnsafeRawBufferPointer(rebasing: page)
            guard let left = bytes.baseAddress, let right = zeros.baseAddress else { return true }
            return memcmp(left, right, bytes.count) == 0
        }
    }

    /// What a file system with 32 bits for a time still holds.
    private static let latestTime = Int64(Int32.max)

    private static let zeroPage = [UInt8](repeating: 0, count: 4096)
}
