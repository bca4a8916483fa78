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
    let bytes = Array(bytes)
    let text = String(decoding: bytes, as: UTF8.self)
    guard !isPlain(bytes), text.unicodeScalars.contains(where: isActive) else { return text }
    var safe = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        if isActive(scalar) {
            append(visible: scalar, to: &safe)
        } else {
            safe.append(scalar)
        }
    }
    return String(safe)
}

/// Whether nothing but printable ASCII, tabs and newlines are there, as in nearly all that is printed.
private func isPlain(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { bytes -> Bool in
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 ? byte != 0x09 && byte != 0x0a : byte > 0x7e { return false }
            index += 1
        }
        return true
    }
}

/// The end of a long text as ``safeText(_:)``, from the beginning of a line on, in little more memory than it takes itself.
///
/// - Parameter limit: How many bytes the answer may have.
/// - Returns: The end, and how many of the bytes come before it.
func safeEnd(of bytes: [UInt8], limit: Int) -> (text: String, omittedBytes: Int) {
    let piece = max(8, min(1 << 16, limit / 8))
    // From the end on, the places between the pieces.
    var (cuts, count) = ([bytes.count], 0)
    while let end = cuts.last, end > 0 {
        let begin = beginOfCharacter(at: max(0, end - piece), in: bytes)
        let size = safeText(bytes[begin..<end]).utf8.count
        guard count + size <= limit else { break }
        cuts.append(begin)
        count += size
    }
    var start = cuts.last ?? 0
    if start > 0, let newline = bytes[start...].prefix(4096).firstIndex(of: UInt8(ascii: "\n")) { start = newline + 1 }
    var text = ""
    text.reserveCapacity(count)
    var place = start
    for cut in cuts.reversed() where cut > place {
        text += safeText(bytes[place..<cut])
        place = cut
    }
    return (text, start)
}

/// The nearest place at or before `place` at which no character of UTF-8 goes on; text that is none ends anywhere.
func beginOfCharacter(at place: Int, in bytes: [UInt8]) -> Int {
    var begin = place
    while begin > 0, begin > place - 3, begin < bytes.count, bytes[begin] & 0xc0 == 0x80 { begin -= 1 }
    return begin
}

/// Digit by digit, because a hostile text may have millions of such characters.
private func append(visible scalar: Unicode.Scalar, to safe: inout String.UnicodeScalarView) {
    let value = scalar.value
    safe.append("\\")
    if value < 0x100 {
        safe.append(digit(value >> 6 & 7))
        safe.append(digit(value >> 3 & 7))
        safe.append(digit(value & 7))
        return
    }
    safe.append("u")
    var shift = value > 0xffff ? 16 : 12
    while shift >= 0 {
        safe.append(digit(value >> UInt32(shift) & 15))
        shift -= 4
    }
}

/// Of the digits up to 15.
private func digit(_ value: UInt32) -> Unicode.Scalar {
    Unicode.Scalar(UInt8(truncatingIfNeeded: value < 10 ? 0x30 + value : 0x57 + value))
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
