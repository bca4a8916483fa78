import CrashModel
import ELF

/// The second header of a dump of makedumpfile; diskdump's own has other content.
///
/// Source: `kdump_sub_header` of makedumpfile's diskdump_mod.h. The 64-bit numbers in it are aligned to 8 bytes but on
/// i386.
struct KdumpSubHeader: Sendable {
    /// Where the kernel's text was in memory against where it was linked (`phys_base` of x86), in bytes.
    private(set) var physicalBase: UInt64?
    /// The sum of makedumpfile(8)'s `-d`; nil before version 1.
    private(set) var dumpLevel: Int32?
    /// Whether this is one file of several (`makedumpfile --split`).
    private(set) var isSplit = false
    private(set) var info: Part?
    private(set) var notes: Part?
    /// The whole count of pages; from version 6 on.
    private(set) var pageCount: UInt64?

    static let byteCount = 112

    /// A part of the file.
    struct Part: Sendable {
        let offset: UInt64
        let size: UInt64
    }

    init(_ bytes: [UInt8], of header: KdumpHeader, machine: Architecture?) {
        let fields = FieldDecoder(bytes, order: header.order, elfClass: header.elfClass)
        let wide = header.elfClass == .bits64
        let word = header.elfClass.wordSize
        physicalBase = fields.word(at: 0)
        if header.version >= 1 { dumpLevel = fields.int32(at: word) }
        if header.version >= 2 { isSplit = fields.uint32(at: word + 4).map { $0 != 0 } ?? false }
        let padded = wide || (machine.map { $0 != .i386 } ?? Self.looksPadded(fields, header))
        let start = wide ? 32 : padded ? 24 : 20
        let step = wide || padded ? 16 : 12
        func part(_ index: Int) -> Part? {
            guard let offset = fields.uint64(at: start + index * step),
                let size = fields.word(at: start + index * step + 8),
                offset > 0, size > 0
            else { return nil }
            return Part(offset: offset, size: size)
        }
        if header.version >= 3 { info = part(0) }
        if header.version >= 4 { notes = part(1) }
        if header.version >= 6 { pageCount = fields.uint64(at: start + 3 * step + 16) }
    }

    /// Whether the first offset, read at the place that i386 does not have, leads between the headers and the bitmaps.
    private static func looksPadded(_ fields: FieldDecoder, _ header: KdumpHeader) -> Bool {
        guard let offset = fields.uint64(at: 20), let size = fields.uint32(at: 28) else { return false }
        if offset == 0 && size == 0 { return false }
        let (end, overflow) = offset.addingReportingOverflow(UInt64(size))
        return overflow || offset < header.blockBytes || end > header.bitmapOffset
    }
}
