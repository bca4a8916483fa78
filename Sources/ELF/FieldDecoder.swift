/// The order of the bytes in a number, `EI_DATA` of the ELF header.
package enum ByteOrder: Hashable, Sendable {
    case littleEndian
    case bigEndian
}

/// The width of an address, `EI_CLASS` of the ELF header.
package enum ELFClass: Hashable, Sendable {
    case bits32
    case bits64

    /// The size of an address, in bytes.
    package var wordSize: Int { self == .bits64 ? 8 : 4 }
}

/// Reads the numbers of a structure in the byte order and width of the machine that wrote it.
///
/// Every read outside the bytes answers nil.
package struct FieldDecoder: Sendable {
    package let bytes: [UInt8]
    package let order: ByteOrder
    package let elfClass: ELFClass

    package init(_ bytes: [UInt8], order: ByteOrder, elfClass: ELFClass) {
        self.bytes = bytes
        self.order = order
        self.elfClass = elfClass
    }

    package func uint16(at offset: Int) -> UInt16? {
        number(at: offset, size: 2).map { UInt16(truncatingIfNeeded: $0) }
    }

    package func uint32(at offset: Int) -> UInt32? {
        number(at: offset, size: 4).map { UInt32(truncatingIfNeeded: $0) }
    }

    package func int32(at offset: Int) -> Int32? { uint32(at: offset).map { Int32(bitPattern: $0) } }

    package func uint64(at offset: Int) -> UInt64? { number(at: offset, size: 8) }

    /// A number as wide as an address.
    package func word(at offset: Int) -> UInt64? { number(at: offset, size: elfClass.wordSize) }

    /// The bytes of a C string, without its terminator; nil when it is not terminated within `limit` bytes.
    package func cString(at offset: Int, limit: Int) -> [UInt8]? {
        guard offset >= 0, offset < bytes.count else { return nil }
        let rest = bytes[offset...].prefix(limit)
        return rest.firstIndex(of: 0).map { Array(rest[..<$0]) }
    }

    private func number(at offset: Int, size: Int) -> UInt64? {
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        var value: UInt64 = 0
        if order == .bigEndian {
            for index in offset..<(offset + size) { value = value << 8 | UInt64(bytes[index]) }
        } else {
            for index in (offset..<(offset + size)).reversed() { value = value << 8 | UInt64(bytes[index]) }
        }
        return value
    }
}
