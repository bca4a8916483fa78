import SystemPackage

extension MadeKernelDumps {
    /// Where in a dump its memory begins, in bytes: all headers and notes of it lie before.
    ///
    /// Behind the segments' headers and the notes of ELF (elf(5)); behind the bitmaps of makedumpfile's own format, where the
    /// pages' descriptors are (its IMPLEMENTATION file, and diskdump_mod.h). 64-bit little-endian only.
    package func memoryOffset(of format: String) throws -> Int {
        let file = try FileDescriptor.open(dump(format), .readOnly, options: .closeOnExec)
        defer { try? file.close() }
        var head = [UInt8](repeating: 0, count: 4096)
        let count = try head.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: 0, into: $0) }
        func number(_ offset: Int, _ size: Int) throws -> Int {
            guard offset + size <= count else { throw Failure(description: "The \(format) dump ends in its header.") }
            return (0..<size).reduce(0) { $0 | Int(head[offset + $1]) << (8 * $1) }
        }
        if head.starts(with: [0x7f] + Array("ELF".utf8)) {
            let (table, segments) = (try number(0x20, 8), try number(0x38, 2))
            let places = try (0..<segments).map { table + $0 * 56 }.filter { try number($0, 4) == 1 }
                .map { try number($0 + 8, 8) }
            guard let first = places.min() else { throw Failure(description: "The \(format) dump has no segments.") }
            return first
        }
        guard head.starts(with: "KDUMP   ".utf8) else { throw Failure(description: "\(format) is none of the two.") }
        let (block, subHeader, bitmaps) = (try number(0x1ac, 4), try number(0x1b0, 4), try number(0x1b4, 4))
        return (1 + subHeader + bitmaps) * block
    }
}
