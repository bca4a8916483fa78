package import CrashModel

/// The ELF header, elf(5).
package struct ELFHeader: Hashable, Sendable {
    package let elfClass: ELFClass
    package let order: ByteOrder
    package let type: FileType
    /// `e_machine`, such as 62 for x86-64.
    package let machine: UInt16
    /// `e_entry`: where the program starts.
    package let entry: UInt64

    let programHeaderOffset: UInt64
    let programHeaderEntrySize: UInt16
    let programHeaderCount: UInt16
    let sectionHeaderOffset: UInt64
    let sectionHeaderEntrySize: UInt16
    let sectionHeaderCount: UInt16
    let sectionNameIndex: UInt16

    /// `e_type`.
    package enum FileType: Hashable, Sendable {
        case relocatable
        case executable
        case shared
        case core
        case other(UInt16)
    }

    static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]

    /// Whether the bytes begin as every ELF file does.
    package static func hasMagic(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: magic) }

    /// - Parameter bytes: The first 64 bytes of a file, or all of a shorter one.
    /// - Throws: ``ELFError`` when they are no ELF header, or too few.
    package init(_ bytes: [UInt8]) throws(ELFError) {
        guard Self.hasMagic(bytes) else { throw .notELF }
        guard bytes.count >= 16 else { throw .truncated("the ELF header") }
        switch bytes[4] {
        case 1: elfClass = .bits32
        case 2: elfClass = .bits64
        default: throw .malformed("the ELF header has class \(bytes[4])")
        }
        switch bytes[5] {
        case 1: order = .littleEndian
        case 2: order = .bigEndian
        default: throw .malformed("the ELF header has byte order \(bytes[5])")
        }
        let fields = FieldDecoder(bytes, order: order, elfClass: elfClass)
        let word = elfClass.wordSize
        let tail = 24 + 3 * word + 4
        guard let type = fields.uint16(at: 16), let machine = fields.uint16(at: 18), let entry = fields.word(at: 24),
            let programHeaderOffset = fields.word(at: 24 + word),
            let sectionHeaderOffset = fields.word(at: 24 + 2 * word),
            let programHeaderEntrySize = fields.uint16(at: tail + 2),
            let programHeaderCount = fields.uint16(at: tail + 4),
            let sectionHeaderEntrySize = fields.uint16(at: tail + 6),
            let sectionHeaderCount = fields.uint16(at: tail + 8), let sectionNameIndex = fields.uint16(at: tail + 10)
        else { throw .truncated("the ELF header") }
        self.type =
            switch type {
            case 1: .relocatable
            case 2: .executable
            case 3: .shared
            case 4: .core
            default: .other(type)
            }
        self.machine = machine
        self.entry = entry
        self.programHeaderOffset = programHeaderOffset
        self.programHeaderEntrySize = programHeaderEntrySize
        self.programHeaderCount = programHeaderCount
        self.sectionHeaderOffset = sectionHeaderOffset
        self.sectionHeaderEntrySize = sectionHeaderEntrySize
        self.sectionHeaderCount = sectionHeaderCount
        self.sectionNameIndex = sectionNameIndex
    }

    /// The architecture, from machine, class and byte order; nil for one that the project does not know.
    package var architecture: Architecture? {
        switch (machine, elfClass, order) {
        case (3, .bits32, .littleEndian): .i386
        case (62, .bits64, .littleEndian): .x86_64
        case (183, .bits64, .littleEndian): .aarch64
        case (40, .bits32, .littleEndian): .armhfp
        case (21, .bits64, .littleEndian): .ppc64le
        case (21, .bits64, .bigEndian): .ppc64
        case (22, .bits64, .bigEndian): .s390x
        default: nil
        }
    }
}
