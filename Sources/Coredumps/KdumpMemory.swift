import ELF
import PageCompression

/// The memory in a compressed dump: a bitmap says which pages are there, in whose order descriptors lead to them.
///
/// Source: makedumpfile's IMPLEMENTATION and diskdump_mod.h.
final class KdumpMemory: PhysicalMemory {
    private let source: any ByteSource
    private let order: ByteOrder
    private let bitmap: UInt64
    private let bitmapBytes: UInt64
    private let descriptors: UInt64
    /// How many pages are there before each piece of the bitmap; it grows as it is needed.
    private var ranks: [UInt64] = [0]
    private var piece: (index: Int, bytes: [UInt8]) = (-1, [])
    private var cache = PageCache()

    private static let pageBytes = 4096
    private static let pieceBytes = 4096
    /// The bitmap of 8 TiB of memory.
    private static let maximumPieceCount = 65_536
    /// What compresses to more than two pages was not compressed.
    private static let maximumPackedBytes: UInt32 = 8192

    /// - Throws: ``MemoryTrouble`` when the pages are not of 4 KiB.
    init(_ source: any ByteSource, _ header: KdumpHeader, _ sub: KdumpSubHeader) throws {
        guard header.blockBytes == UInt64(Self.pageBytes) else {
            throw MemoryTrouble("The dump has pages of \(header.blockBytes) bytes, and x86_64 has pages of 4096.")
        }
        self.source = source
        order = header.order
        let all = header.bitmapBlocks * header.blockBytes
        // The first half says what was memory, the second what is in the dump; very old dumps have one only.
        let hasTwo = all / 2 >= ((sub.pageCount ?? header.pageCount) / 8)
        bitmapBytes = hasTwo ? all / 2 : all
        bitmap = header.bitmapOffset + (hasTwo ? all / 2 : 0)
        descriptors = header.descriptorOffset
    }

    func page(_ frame: UInt64) throws -> [UInt8]? { try cache.page(frame) { try read($0) } }

    func base(ofText start: UInt64) -> UInt64? { nil }

    private func read(_ frame: UInt64) throws -> [UInt8]? {
        guard frame / 8 < bitmapBytes, let rank = try rank(of: frame) else { return nil }
        let found = try KdumpDescriptor.read(
            at: descriptors + rank * UInt64(KdumpDescriptor.byteCount), count: 1, of: source, order: order)
        guard let descriptor = found.first, descriptor.size > 0, descriptor.size <= Self.maximumPackedBytes else {
            return nil
        }
        let bytes = try source.read(at: descriptor.offset, count: Int(descriptor.size))
        guard bytes.count == Int(descriptor.size) else { return nil }
        guard let format = Self.format(descriptor.flags) else { return bytes.count == Self.pageBytes ? bytes : nil }
        do throws(PageCompressionError) {
            return try decompressPage(bytes, format, pageBytes: Self.pageBytes)
        } catch {
            throw MemoryTrouble("The dump is damaged: \(error).")
        }
    }

    /// The flags of diskdump_mod.h; nil where the page is stored as it is.
    private static func format(_ flags: UInt32) -> PageCompression? {
        if flags & 0x01 != 0 { return .zlib }
        if flags & 0x02 != 0 { return .lzo }
        if flags & 0x04 != 0 { return .snappy }
        return flags & 0x20 != 0 ? .zstd : nil
    }

    /// How many pages are in the dump before this one; nil when it is not there itself.
    private func rank(of frame: UInt64) throws(ELFError) -> UInt64? {
        let index = Int(frame / 8) / Self.pieceBytes
        guard index < Self.maximumPieceCount else { return nil }
        while ranks.count <= index {
            let last = ranks.count - 1
            try load(last)
            // Where the file ends no page follows.
            guard piece.bytes.count == Self.pieceBytes else { return nil }
            ranks.append(ranks[last] + Self.ones(piece.bytes[...]))
        }
        try load(index)
        let place = Int(frame / 8) % Self.pieceBytes
        guard place < piece.bytes.count else { return nil }
        let byte = piece.bytes[place]
        let bit = UInt8(1) << UInt8(frame % 8)
        guard byte & bit != 0 else { return nil }
        return ranks[index] + Self.ones(piece.bytes[..<place]) + UInt64((byte & (bit - 1)).nonzeroBitCount)
    }

    private func load(_ index: Int) throws(ELFError) {
        guard piece.index != index else { return }
        piece = (index, try source.read(at: bitmap + UInt64(index * Self.pieceBytes), count: Self.pieceBytes))
    }

    private static func ones(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 + UInt64($1.nonzeroBitCount) }
    }
}
