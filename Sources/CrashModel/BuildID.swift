/// The bytes of an `NT_GNU_BUILD_ID` note, which name one linked ELF file.
///
/// The canonical text is lower-case hexadecimal. Linkers write 8 (`--build-id=fast`), 16 (md5, uuid) or 20 (sha1) bytes;
/// anything from 2 to 64 bytes is taken, since the first byte names a directory and the rest a file below
/// `/usr/lib/debug/.build-id`.
package struct BuildID: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// - Throws: ``InvalidValue`` unless there are 2 to 64 bytes.
    package init(bytes: [UInt8]) throws(InvalidValue) {
        guard (2...64).contains(bytes.count) else {
            throw InvalidValue(noun: "build-id", text: "\(bytes.count) bytes", expected: "it has 2 to 64 bytes")
        }
        self.bytes = bytes
    }

    /// - Throws: ``InvalidValue`` unless `text` is an even number of hexadecimal digits, 4 to 128 of them.
    package init(_ text: some StringProtocol) throws(InvalidValue) {
        // An index of a distribution makes millions of them.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20)
        var high: UInt8?
        var isHexadecimal = true
        for digit in text.utf8 {
            guard let nibble = Self.nibble(digit), bytes.count <= 64 else {
                isHexadecimal = false
                break
            }
            if let first = high {
                bytes.append(first << 4 | nibble)
                high = nil
            } else {
                high = nibble
            }
        }
        guard isHexadecimal, high == nil, (2...64).contains(bytes.count) else {
            throw InvalidValue(
                noun: "build-id", text: text, expected: "it is written in hexadecimal, as 'eu-unstrip -n' does")
        }
        self.bytes = bytes
    }

    package var description: String { Self.hex(bytes[...]) }

    /// `xx/yyyy…`: how the files below a `.build-id` directory are named, without a suffix.
    package var pathComponents: String { Self.hex(bytes.prefix(1)) + "/" + Self.hex(bytes.dropFirst()) }

    /// Where a package of debuginfo keeps the DWARF of this file, from the root.
    package var debugPath: String { "/usr/lib/debug/.build-id/\(pathComponents).debug" }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
