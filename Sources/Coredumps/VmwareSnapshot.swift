import ELF

/// The table of a VMware snapshot (`.vmss`, `.vmsn`): where the machine's memory is in it, if it is.
///
/// Source: crash's vmware_vmss.h. A header, groups of 80 bytes each, and in each group tags with a name, indices and a
/// value; the memory is a block of the group `memory`. All numbers are little-endian.
struct VmwareSnapshot: Sendable {
    /// The memory inside the snapshot.
    private(set) var memory: Memory?
    /// Whether VMware marked it as one that lacks parts.
    let isPartial: Bool
    /// What is odd about the table, a sentence.
    private(set) var damage: String?

    struct Memory: Sendable {
        let offset: UInt64
        let size: UInt64
        let isCompressed: Bool
    }

    private static let maximumGroupCount: UInt32 = 256
    private static let maximumTagCount = 4096
    private static let groupBytes = 80

    /// Whether a file begins as VMware's snapshots do: old and new, partial, restored or not to be restored.
    static func hasMagic(_ bytes: [UInt8]) -> Bool {
        let magics: [UInt32] = [0xbed0_bed0, 0xbed2_bed0, 0xbed2_bed2, 0xbed3_bed3, 0xbad1_bad1, 0xbad2_bad2]
        return FieldDecoder(bytes, order: .littleEndian, elfClass: .bits64).uint32(at: 0).map(magics.contains) ?? false
    }

    /// - Throws: ``ELFError/unreadable(_:)``.
    init(_ source: any ByteSource) throws(ELFError) {
        let header = Self.fields(try source.read(at: 0, count: 12))
        isPartial = header.uint32(at: 0) == 0xbed3_bed3
        if header.uint32(at: 0) == 0xbed0_bed0 {
            damage = "The snapshot is of an old VMware with 32-bit tables, which cannot be read."
            return
        }
        guard let count = header.uint32(at: 8) else {
            damage = "The snapshot ends inside its header."
            return
        }
        let table = Self.fields(
            try source.read(at: 12, count: Int(min(count, Self.maximumGroupCount)) * Self.groupBytes))
        for base in stride(from: 0, to: table.bytes.count, by: Self.groupBytes) {
            guard let name = table.cString(at: base, limit: 64), let position = table.uint64(at: base + 64) else {
                break
            }
            guard name.elementsEqual("memory".utf8) else { continue }
            try readGroup(source, at: position)
            return
        }
        damage = "The snapshot's table has no group 'memory'."
    }

    private mutating func readGroup(_ source: any ByteSource, at start: UInt64) throws(ELFError) {
        var cursor = start
        for _ in 0..<Self.maximumTagCount {
            // Tag, name of 255 bytes, three indices, and the sizes of a block.
            let fields = Self.fields(try source.read(at: cursor, count: 2 + 255 + 12 + 18))
            guard let tag = fields.uint16(at: 0) else {
                damage = "The snapshot ends inside its table of the memory."
                return
            }
            if tag == 0 { return }
            let name = fields.bytes.dropFirst(2).prefix(Int(tag >> 8))
            let value = 2 + Int(tag >> 8) + 4 * Int((tag >> 6) & 3)
            let size = Int(tag & 63)
            // The two largest sizes mean a block behind the table, compressed or not.
            var step = UInt64(value + size)
            if size >= 62 {
                guard let bytes = fields.uint64(at: value), let inMemory = fields.uint64(at: value + 8),
                    let padding = fields.uint16(at: value + 16)
                else {
                    damage = "The snapshot ends inside its table of the memory."
                    return
                }
                let (next, overflow) = UInt64(value + 18 + Int(padding)).addingReportingOverflow(bytes)
                let (end, tooFar) = cursor.addingReportingOverflow(next)
                guard !overflow, !tooFar else {
                    damage = "The snapshot's table has a block of \(bytes) bytes, which no file holds."
                    return
                }
                if name.elementsEqual("Memory".utf8), memory == nil {
                    memory = Memory(offset: end - bytes, size: size == 62 ? bytes : inMemory, isCompressed: size == 62)
                }
                step = next
            }
            // Every tag leads forward, so a table cannot lead round in a circle.
            guard step <= UInt64.max - cursor else {
                damage = "The snapshot's table leads beyond any file."
                return
            }
            cursor += step
        }
        damage =
            "The snapshot's table of the memory has more than \(Self.maximumTagCount) entries; the rest was not read."
    }

    private static func fields(_ bytes: [UInt8]) -> FieldDecoder {
        FieldDecoder(bytes, order: .littleEndian, elfClass: .bits64)
    }
}
