/// Bytes at offsets: a file, a buffer, or the memory of a crashed process as its core holds it.
package protocol ByteSource: Sendable {
    /// How many bytes there are; offsets at or past it hold nothing.
    var byteCount: UInt64 { get }

    /// Reads `count` bytes from `offset` on; fewer only where the source ends before.
    ///
    /// Callers bound `count`; a source never allocates more than it holds.
    ///
    /// - Throws: ``ELFError/unreadable(_:)`` when the system refuses.
    func read(at offset: UInt64, count: Int) throws(ELFError) -> [UInt8]
}

/// A source that is a buffer, such as the first 64 KiB of a file in a package.
package struct MemoryByteSource: ByteSource {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var byteCount: UInt64 { UInt64(bytes.count) }

    package func read(at offset: UInt64, count: Int) throws(ELFError) -> [UInt8] {
        guard count > 0, let start = Int(exactly: offset), start < bytes.count else { return [] }
        return Array(bytes[start..<(start + min(count, bytes.count - start))])
    }
}

/// The beginning of a file and a later piece of it; nothing is known of what lies between, which reads as zeros.
struct PiecedByteSource: ByteSource {
    let prefix: [UInt8]
    let piece: [UInt8]
    let pieceOffset: UInt64

    var byteCount: UInt64 {
        let (end, overflow) = pieceOffset.addingReportingOverflow(UInt64(piece.count))
        return overflow ? .max : end
    }

    func read(at offset: UInt64, count: Int) throws(ELFError) -> [UInt8] {
        guard offset >= pieceOffset else { return try MemoryByteSource(prefix).read(at: offset, count: count) }
        return try MemoryByteSource(piece).read(at: offset - pieceOffset, count: count)
    }
}
