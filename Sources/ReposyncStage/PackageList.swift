import CrashModel
import Glibc
import SystemPackage

/// One stanza of a `Packages` file (deb822(5)), seen where it lies in memory; it is gone after the call it came with.
struct StanzaView {
    /// Without the empty line that ends it.
    let bytes: UnsafeRawBufferPointer

    /// The value of a field on one line, or on several; nil when the stanza has none of that name.
    func field(_ name: StaticString) -> String? { fields([name])[0] }

    /// The values of several fields in one walk over the stanza.
    ///
    /// Lines are found with the C library, which keeps 50 MB of stanzas within seconds even in a debug build.
    func fields(_ names: [StaticString]) -> [String?] {
        var values = [String?](repeating: nil, count: names.count)
        guard let base = bytes.baseAddress else { return values }
        var start = 0
        while start < bytes.count {
            let lineStart = start
            let first = bytes[lineStart]
            start = lineEnd(from: lineStart) + 1
            guard
                let index = names.firstIndex(where: { name in
                    let count = name.utf8CodeUnitCount
                    return name.utf8Start.pointee == first && lineStart + count < bytes.count
                        && bytes[lineStart + count] == 0x3a && memcmp(base + lineStart, name.utf8Start, count) == 0
                }), values[index] == nil
            else { continue }
            while start < bytes.count, bytes[start] == 0x20 || bytes[start] == 0x09 { start = lineEnd(from: start) + 1 }
            let value = bytes[(lineStart + names[index].utf8CodeUnitCount + 1)..<min(start - 1, bytes.count)]
            values[index] = String(decoding: value.drop { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self)
        }
        return values
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    private func lineEnd(from start: Int) -> Int {
        guard let base = bytes.baseAddress, let found = memchr(base + start, 0x0a, bytes.count - start) else {
            return bytes.count
        }
        return UnsafeRawPointer(found) - base
    }
}

/// Where a stanza lies in its file, in bytes.
struct StanzaPlace: Hashable, Sendable {
    let file: FilePath
    let offset: Int64
    let byteCount: Int

    /// The stanza as text. Blocking.
    func read() throws -> String {
        let descriptor = try FileDescriptor.open(file, .readOnly, options: .closeOnExec)
        return try descriptor.closeAfter {
            let bytes = try [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
                count = try descriptor.read(fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(buffer))
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// Gives every stanza of a file to `body`, a megabyte in memory at a time. Blocking.
///
/// - Throws: ``CrashModel/StageError`` with `metadataRefused` for a stanza of more than 16 MiB, what `body` throws, and
///   errors of the disk.
func forEachStanza(in file: FilePath, _ body: (StanzaView, StanzaPlace) throws -> Void) throws {
    let longest = 16 << 20
    let descriptor = try FileDescriptor.open(file, .readOnly, options: .closeOnExec)
    try descriptor.closeAfter {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var filled = 0
        var fileOffset: Int64 = 0
        var isAtEnd = false
        while !isAtEnd {
            if filled == buffer.count {
                guard buffer.count < longest else {
                    throw StageError.sync(
                        .metadataRefused, "A list of packages has an entry of more than \(longest) bytes.")
                }
                buffer += [UInt8](repeating: 0, count: buffer.count)
            }
            let count = try buffer.withUnsafeMutableBytes {
                try descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }
            isAtEnd = count == 0
            filled += count
            let used = try buffer.withUnsafeBytes { bytes in
                try split(UnsafeRawBufferPointer(rebasing: bytes[..<filled]), isLast: isAtEnd) { range in
                    let view = StanzaView(bytes: UnsafeRawBufferPointer(rebasing: bytes[range]))
                    let place = StanzaPlace(
                        file: file, offset: fileOffset + Int64(range.lowerBound), byteCount: range.count)
                    try body(view, place)
                }
            }
            buffer.withUnsafeMutableBytes { bytes in
                if let base = bytes.baseAddress { memmove(base, base + used, filled - used) }
            }
            filled -= used
            fileOffset += Int64(used)
        }
    }
}

/// Finds the stanzas in `bytes`; gives the number of bytes that are dealt with.
private func split(
    _ bytes: UnsafeRawBufferPointer, isLast: Bool, _ body: (Range<Int>) throws -> Void
) throws -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    var start = 0
    while start < bytes.count {
        if bytes[start] == 0x0a {
            start += 1
            continue
        }
        var end = start
        // The stanza ends at a line end with another right behind it.
        while true {
            guard let found = memchr(base + end, 0x0a, bytes.count - end) else {
                end = bytes.count
                break
            }
            end = UnsafeRawPointer(found) - base + 1
            if end == bytes.count || bytes[end] == 0x0a { break }
        }
        if end == bytes.count, !isLast { return start }
        let hasLineEnd = bytes[end - 1] == 0x0a
        try body(start..<(hasLineEnd ? end - 1 : end))
        start = end
    }
    return start
}
