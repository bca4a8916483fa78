import ELF

/// One block of a flattened dump: where its bytes belong, and where they lie.
///
/// Source: `makedumpfile_header` and `makedumpfile_data_header` of makedumpfile.h. A first header of 4096 bytes; then
/// offset and size as big-endian 64-bit numbers before each block; both are -1 at the end.
struct FlattenedRecord: Sendable {
    /// Where the block belongs in the dump, in bytes.
    let offset: UInt64
    let size: UInt64
    /// Where the block lies in the flattened file, in bytes.
    let position: UInt64

    /// One past the block's place in the dump.
    var end: UInt64 { offset + size }

    static let firstPosition: UInt64 = 4096
    static let headerBytes = 16
    /// No dump is larger than 64 TiB, far above what file systems here can hold.
    static let maximumEnd: UInt64 = 1 << 46

    enum Step {
        case record(FlattenedRecord)
        /// The mark that makedumpfile writes last.
        case ended
        /// The file stops inside a header.
        case cut
        /// What stands there is no header; a sentence.
        case damaged(String)
    }

    /// Reads the header of the block at a position of the flattened file.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``.
    static func read(at position: UInt64, of source: any ByteSource) throws(ELFError) -> Step {
        let bytes = try source.read(at: position, count: headerBytes)
        let fields = FieldDecoder(bytes, order: .bigEndian, elfClass: .bits64)
        guard let offset = fields.uint64(at: 0), let size = fields.uint64(at: 8) else { return .cut }
        if offset == .max, size == .max { return .ended }
        guard size > 0, offset <= maximumEnd, size <= maximumEnd, offset + size <= maximumEnd else {
            return .damaged(
                "The flattened dump is damaged: its block at byte \(position) says that it has \(Int64(bitPattern: size)) bytes "
                    + "for byte \(Int64(bitPattern: offset)) of the dump.")
        }
        return .record(FlattenedRecord(offset: offset, size: size, position: position + UInt64(headerBytes)))
    }
}
