import ELF

/// The beginning of the dump that is inside a flattened one, read where it lies.
///
/// Only the first blocks are known, which hold the headers of the dump; between them there are zeros, as makedumpfile
/// leaves them.
struct FlattenedByteSource: ByteSource {
    private let source: any ByteSource
    /// In the order in which they were written: a later one replaces what an earlier one said.
    private let records: [FlattenedRecord]
    /// Whether all blocks of the file are known.
    let isWhole: Bool
    /// What is wrong with the blocks that were looked at, a sentence.
    let damage: String?

    /// So many blocks have 64 MiB and more of a compressed dump, and the headers are the first ones.
    private static let maximumRecordCount = 2048

    /// - Throws: ``ELFError/unreadable(_:)``.
    init(_ source: any ByteSource) throws(ELFError) {
        self.source = source
        var found: [FlattenedRecord] = []
        var whole = false
        var damage: String?
        var position = FlattenedRecord.firstPosition
        walk: while found.count < Self.maximumRecordCount {
            switch try FlattenedRecord.read(at: position, of: source) {
            case .record(let record):
                found.append(record)
                position = record.position + record.size
            case .ended:
                whole = true
                break walk
            case .cut:
                whole = true
                break walk
            case .damaged(let sentence):
                whole = true
                damage = sentence
                break walk
            }
        }
        records = found
        isWhole = whole
        self.damage = damage
    }

    /// Where the known blocks end; where not all are known, the largest file.
    var byteCount: UInt64 { isWhole ? records.map(\.end).max() ?? 0 : UInt64(Int64.max) }

    func read(at offset: UInt64, count: Int) throws(ELFError) -> [UInt8] {
        guard count > 0, offset < byteCount else { return [] }
        let wanted = min(UInt64(count), byteCount - offset)
        var bytes = [UInt8](repeating: 0, count: Int(wanted))
        for record in records where record.offset < offset + wanted && offset < record.end {
            let start = max(offset, record.offset)
            let end = min(offset + wanted, record.end)
            let part = try source.read(at: record.position + (start - record.offset), count: Int(end - start))
            let place = Int(start - offset)
            bytes.replaceSubrange(place..<(place + part.count), with: part)
        }
        return bytes
    }

    /// Whether the file ends with the mark that makedumpfile writes when it has written everything.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``.
    static func hasEndMark(_ source: any ByteSource) throws(ELFError) -> Bool {
        guard source.byteCount >= FlattenedRecord.firstPosition + UInt64(FlattenedRecord.headerBytes) else {
            return false
        }
        let end = try source.read(
            at: source.byteCount - UInt64(FlattenedRecord.headerBytes), count: FlattenedRecord.headerBytes)
        return end.count == FlattenedRecord.headerBytes && end.allSatisfy { $0 == 0xff }
    }
}
