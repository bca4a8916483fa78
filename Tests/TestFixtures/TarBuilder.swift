/// Writes tar archives byte by byte (ustar of POSIX.1-1988, pax records of POSIX.1-2001), the malicious ones too.
package struct TarBuilder {
    private var bytes: [UInt8] = []

    package init() {}

    /// The archive with the two zero blocks at its end.
    package var archive: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    /// The archive without its end, as a killed tar leaves it.
    package var unfinished: [UInt8] { bytes }

    /// Adds an entry, whatever it says.
    ///
    /// - Parameters:
    ///   - type: The type flag: `0` file, `1` hard link, `2` symbolic link, `3` and `4` devices, `5` directory, `6` FIFO.
    ///   - statedSize: What the header says instead of the content's size.
    package mutating func add(
        _ name: some Sequence<UInt8>, type: Unicode.Scalar = "0", content: [UInt8] = [], linkTarget: String = "",
        mode: Int = 0o644, statedSize: Int64? = nil
    ) {
        let header = Self.header(
            Array(name), type: type, size: statedSize ?? Int64(content.count), linkTarget: linkTarget, mode: mode)
        bytes += Self.sealed(header)
        append(content)
    }

    /// As the other, with the name in UTF-8.
    package mutating func add(
        _ name: String, type: Unicode.Scalar = "0", content: [UInt8] = [], linkTarget: String = "", mode: Int = 0o644,
        statedSize: Int64? = nil
    ) {
        add(Array(name.utf8), type: type, content: content, linkTarget: linkTarget, mode: mode, statedSize: statedSize)
    }

    /// Adds pax records for the next entry (`x`) or for all that follow (`g`).
    package mutating func addPax(_ records: [(String, String)], type: Unicode.Scalar = "x") {
        let content = records.flatMap { key, value in Self.record(key, value) }
        add("./PaxHeaders/x", type: type, content: content)
    }

    /// Adds a sparse file of GNU tar's old format: `realSize` bytes, of which only the content at the front is there.
    package mutating func addGNUSparse(_ name: String, realSize: Int64, content: [UInt8]) {
        var header = Self.header(Array(name.utf8), type: "S", size: Int64(content.count), linkTarget: "", mode: 0o644)
        header.replaceSubrange(257..<265, with: Array("ustar  \0".utf8))
        header.replaceSubrange(386..<398, with: Self.number(0))
        header.replaceSubrange(398..<410, with: Self.number(Int64(content.count)))
        header.replaceSubrange(483..<495, with: Self.number(realSize))
        bytes += Self.sealed(header)
        append(content)
    }

    private mutating func append(_ content: [UInt8]) {
        bytes += content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    private static func record(_ key: String, _ value: String) -> [UInt8] {
        let rest = Array(" \(key)=\(value)\n".utf8)
        // The length counts its own digits.
        var length = rest.count
        while "\(length)".utf8.count + rest.count != length { length += 1 }
        return Array("\(length)".utf8) + rest
    }

    private static func header(
        _ name: [UInt8], type: Unicode.Scalar, size: Int64, linkTarget: String, mode: Int
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        header.replaceSubrange(0..<min(name.count, 100), with: name.prefix(100))
        let octal = String(mode, radix: 8)
        header.replaceSubrange(100..<107, with: Array((String(repeating: "0", count: 7 - octal.count) + octal).utf8))
        header.replaceSubrange(108..<115, with: Array("0000000".utf8))
        header.replaceSubrange(116..<123, with: Array("0000000".utf8))
        header.replaceSubrange(124..<136, with: number(size))
        header.replaceSubrange(136..<147, with: Array("00000000000".utf8))
        header[156] = UInt8(truncatingIfNeeded: type.value)
        let target = Array(linkTarget.utf8.prefix(100))
        header.replaceSubrange(157..<(157 + target.count), with: target)
        header.replaceSubrange(257..<265, with: Array("ustar\u{0}00".utf8))
        return header
    }

    /// Octal digits, or GNU's base 256 where those do not suffice.
    private static func number(_ value: Int64) -> [UInt8] {
        if (0..<(1 << 33)).contains(value) {
            let octal = String(value, radix: 8)
            return Array((String(repeating: "0", count: 11 - octal.count) + octal).utf8) + [0]
        }
        let fill: UInt8 = value < 0 ? 0xff : 0
        let low = (0..<8).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        return [0x80 | fill, fill, fill, fill] + low
    }

    private static func sealed(_ header: [UInt8]) -> [UInt8] {
        var header = header
        header.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        header.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8) + [0, 0x20])
        return header
    }
}
