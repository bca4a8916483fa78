/// The binary form of ASCII-armoured OpenPGP keys (RFC 9580 §6), as gpgv wants its keyring.
///
/// - Parameter text: One or several `PGP PUBLIC KEY BLOCK`s; text around them is left out.
/// - Returns: Their packets one after the other; nil when there is no block, or one that is not base64.
func dearmoured(_ text: String) -> [UInt8]? {
    var packets: [UInt8] = []
    var encoded: [UInt8]?
    var isBody = false
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
        if line.hasPrefix("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
            encoded = []
            isBody = false
        } else if line.hasPrefix("-----END PGP PUBLIC KEY BLOCK-----") {
            guard let block = encoded, let bytes = base64Decoded(block), !bytes.isEmpty else { return nil }
            packets += bytes
            encoded = nil
        } else if encoded != nil {
            // Headers of the armour end at the first empty line, and `=` starts the checksum after the body.
            if line.allSatisfy(\.isWhitespace) {
                isBody = true
            } else if isBody, line.first != "=" {
                encoded? += line.utf8.filter { $0 > 0x20 }
            }
        }
    }
    return packets.isEmpty || encoded != nil ? nil : packets
}

private func base64Decoded(_ text: [UInt8]) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    var count = 0
    for digit in text {
        let value: UInt8
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): value = 62
        case UInt8(ascii: "/"): value = 63
        case UInt8(ascii: "="): continue
        default: return nil
        }
        bits = bits << 6 | UInt32(value)
        count += 1
        if count.isMultiple(of: 4) {
            bytes += [UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8)]
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits = 0
        }
    }
    switch count % 4 {
    case 2: bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
    case 3: bytes += [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
    case 1: return nil
    default: break
    }
    return bytes
}
