/// Writes the numbers of a structure in the byte order and width of any machine.
package struct BinaryWriter {
    package private(set) var bytes: [UInt8] = []
    package let bigEndian: Bool
    package let wide: Bool

    /// - Parameter wide: Whether an address has 8 bytes.
    package init(bigEndian: Bool = false, wide: Bool = true) {
        self.bigEndian = bigEndian
        self.wide = wide
    }

    package mutating func number(_ value: UInt64, size: Int) {
        let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
        bytes += bigEndian ? little.reversed() : little
    }

    package mutating func uint16(_ value: UInt16) { number(UInt64(value), size: 2) }
    package mutating func uint32(_ value: UInt32) { number(UInt64(value), size: 4) }
    package mutating func word(_ value: UInt64) { number(value, size: wide ? 8 : 4) }
    package mutating func raw(_ more: some Sequence<UInt8>) { bytes += more }

    /// Fills with zeros up to a size.
    package mutating func pad(to size: Int) {
        if bytes.count < size { bytes += [UInt8](repeating: 0, count: size - bytes.count) }
    }

    /// Fills with zeros up to a multiple of `unit`.
    package mutating func align(_ unit: Int) { pad(to: (bytes.count + unit - 1) / unit * unit) }

    /// Writes over what is there.
    package mutating func replace(at offset: Int, with value: UInt64, size: Int) {
        var field = BinaryWriter(bigEndian: bigEndian, wide: wide)
        field.number(value, size: size)
        bytes.replaceSubrange(offset..<(offset + size), with: field.bytes)
    }
}
