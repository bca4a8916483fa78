import ELF

/// A part of a source as a source of its own.
struct SlicedByteSource: ByteSource {
    let source: any ByteSource
    let start: UInt64
    /// How long the part is said to be, in bytes; the source may end before.
    let statedCount: UInt64

    var byteCount: UInt64 { start < source.byteCount ? min(statedCount, source.byteCount - start) : 0 }

    func read(at offset: UInt64, count: Int) throws(ELFError) -> [UInt8] {
        guard count > 0, offset < byteCount else { return [] }
        return try source.read(at: start + offset, count: Int(min(UInt64(count), byteCount - offset)))
    }
}
