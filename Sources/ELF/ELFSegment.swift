/// One program header, elf(5): a part of the file and where it belongs in memory.
package struct ELFSegment: Hashable, Sendable {
    package let kind: Kind
    package let flags: UInt32
    /// Where the part begins in the file, in bytes.
    package let offset: UInt64
    /// How much of it is in the file, in bytes.
    package let fileSize: UInt64
    package let virtualAddress: UInt64
    /// `p_paddr`; means something in a vmcore only.
    package let physicalAddress: UInt64
    package let memorySize: UInt64
    package let alignment: UInt64

    /// `p_type`, under the names of elf.h.
    package struct Kind: Hashable, Sendable {
        package let rawValue: UInt32
        package static let load = Self(rawValue: 1)
        package static let dynamic = Self(rawValue: 2)
        package static let interpreter = Self(rawValue: 3)
        package static let note = Self(rawValue: 4)
        package static let programHeaders = Self(rawValue: 6)
    }

    package var isExecutable: Bool { flags & 1 != 0 }

    /// One past the last byte in the file; nil when the sum overflows.
    package var fileEnd: UInt64? {
        let (end, overflow) = offset.addingReportingOverflow(fileSize)
        return overflow ? nil : end
    }

    /// One past the last address, at most the end of the address space.
    package var memoryEnd: UInt64 {
        let (end, overflow) = virtualAddress.addingReportingOverflow(memorySize)
        return overflow ? .max : end
    }

    static func entrySize(of elfClass: ELFClass) -> Int { elfClass == .bits64 ? 56 : 32 }

    /// - Parameter base: Where the header begins in the decoder's bytes; nil when they end before it does.
    init?(_ fields: FieldDecoder, at base: Int) {
        let wide = fields.elfClass == .bits64
        guard let type = fields.uint32(at: base), let flags = fields.uint32(at: base + (wide ? 4 : 24)),
            let offset = fields.word(at: base + (wide ? 8 : 4)),
            let virtualAddress = fields.word(at: base + (wide ? 16 : 8)),
            let physicalAddress = fields.word(at: base + (wide ? 24 : 12)),
            let fileSize = fields.word(at: base + (wide ? 32 : 16)),
            let memorySize = fields.word(at: base + (wide ? 40 : 20)),
            let alignment = fields.word(at: base + (wide ? 48 : 28))
        else { return nil }
        self.kind = Kind(rawValue: type)
        self.flags = flags
        self.offset = offset
        self.fileSize = fileSize
        self.virtualAddress = virtualAddress
        self.physicalAddress = physicalAddress
        self.memorySize = memorySize
        self.alignment = alignment
    }
}
