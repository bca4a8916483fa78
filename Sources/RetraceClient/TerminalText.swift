/// The text with everything that commands a terminal made visible.
///
/// C0 controls but tab and newline become caret notation (`^[`), C1 controls and Unicode's bidirectional controls become
/// `<U+009B>`.
package func printable(_ text: String) -> String {
    var clean = ""
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x09, 0x0a: clean.unicodeScalars.append(scalar)
        case 0..<0x20, 0x7f:
            clean += "^"
            clean.unicodeScalars.append(UnicodeScalar(UInt8(scalar.value) ^ 0x40))
        case 0x80...0x9f, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069:
            let digits = String(scalar.value, radix: 16, uppercase: true)
            clean += "<U+" + String(repeating: "0", count: 4 - digits.utf8.count) + digits + ">"
        default: clean.unicodeScalars.append(scalar)
        }
    }
    return clean
}

/// Makes a stream of UTF-8 fit for a terminal, whatever its pieces are cut at.
package struct TerminalFilter: Sendable {
    private var held: [UInt8] = []

    package init() {}

    /// What can be shown of the bytes so far; the start of a character that is not complete is held back.
    package mutating func take(_ bytes: [UInt8]) -> String {
        held += bytes
        let end = Self.completeCount(held)
        defer { held.removeFirst(end) }
        return printable(String(decoding: held[..<end], as: UTF8.self))
    }

    /// What was held back, at the end of the stream.
    package mutating func finish() -> String {
        defer { held = [] }
        return printable(String(decoding: held, as: UTF8.self))
    }

    /// How many bytes stand before a character at the end that is still without its last bytes (RFC 3629).
    private static func completeCount(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xc0 == 0x80 { continue }
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return length > back ? bytes.count - back : bytes.count
        }
        return bytes.count
    }
}
