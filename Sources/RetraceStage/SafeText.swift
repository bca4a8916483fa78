/// Whether a character does something to a terminal or to the order of text instead of being shown: C0 without newline
/// and tab, DEL, C1, and the controls of direction and of joining (Unicode, UAX #9), which can make text lie.
func isActive(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0a: false
    case 0..<0x20, 0x7f...0x9f, 0xad, 0x61c, 0x180e, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff,
        0xfff9...0xfffb, 0xe0000...0xe007f:
        true
    default: false
    }
}

/// Text that a terminal or a browser may show: what is no UTF-8 is replaced by U+FFFD, active characters are written as
/// gdb writes them in C strings (`\033`), or as `\u202e` beyond 8 bits.
func safeText(_ bytes: some Sequence<UInt8>) -> String {
    let text = String(decoding: Array(bytes), as: UTF8.self)
    guard text.unicodeScalars.contains(where: isActive) else { return text }
    var safe = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        if isActive(scalar) {
            safe.append(contentsOf: visible(scalar).unicodeScalars)
        } else {
            safe.append(scalar)
        }
    }
    return String(safe)
}

private func visible(_ scalar: Unicode.Scalar) -> String {
    scalar.value < 0x100
        ? "\\" + padded(String(scalar.value, radix: 8), to: 3) : "\\u" + padded(String(scalar.value, radix: 16), to: 4)
}

/// JSON in which no active character stands raw: each is written as the escape that any decoder turns back into it.
///
/// - Parameter json: Valid JSON, in which such characters can only stand inside strings.
func escapedJSON(_ json: String) -> String {
    guard json.unicodeScalars.contains(where: isActive) else { return json }
    var safe = String.UnicodeScalarView()
    for scalar in json.unicodeScalars {
        if isActive(scalar) {
            for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                safe.append(contentsOf: ("\\u" + padded(String(unit, radix: 16), to: 4)).unicodeScalars)
            }
        } else {
            safe.append(scalar)
        }
    }
    return String(safe)
}

private func padded(_ digits: String, to count: Int) -> String {
    String(repeating: "0", count: max(0, count - digits.count)) + digits
}
