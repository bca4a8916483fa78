import CrashModel
import ELF
import Glibc

/// The addresses of some variables in vmlinux, as it was linked.
///
/// Source: the symbol table of elf(5). Names and symbols are read in pieces, and only what has one of the names is kept.
struct KernelSymbols {
    private var addresses: [String: UInt64] = [:]

    subscript(name: String) -> UInt64? { addresses[name] }

    private static let pieceBytes = 1 << 20
    private static let symbolBytes = 24
    /// Names may end other names (`foo_modules`), so one is found at several places.
    private static let maximumPlaceCount = 4096

    /// - Throws: ``MemoryTrouble`` when vmlinux is none of x86_64 or has no symbol table; ``ELFError/unreadable(_:)``.
    init(_ vmlinux: any ByteSource, names: [String]) throws {
        let file: ELFFile
        let sections: [ELFSection]
        do throws(ELFError) {
            file = try ELFFile(vmlinux)
            sections = try file.sections()
        } catch {
            if case .unreadable = error { throw error }
            throw MemoryTrouble("The kernel's vmlinux cannot be read: \(error).")
        }
        guard file.header.architecture == .x86_64 else {
            throw MemoryTrouble("The kernel's vmlinux is not of x86_64, as the dump is.")
        }
        guard let symbols = sections.first(where: { $0.name == ".symtab" && $0.type == 2 }),
            let strings = sections.first(where: { $0.name == ".strtab" && $0.type == 3 })
        else { throw MemoryTrouble("The kernel's vmlinux has no symbol table.") }
        var places: [UInt32: String] = [:]
        for name in names {
            for place in try Self.places(
                of: name, in: SlicedByteSource(source: vmlinux, start: strings.offset, statedCount: strings.size))
            {
                places[place] = name
            }
        }
        try take(SlicedByteSource(source: vmlinux, start: symbols.offset, statedCount: symbols.size), places)
    }

    /// Where a name begins in the table of names.
    private static func places(of name: String, in strings: SlicedByteSource) throws(ELFError) -> [UInt32] {
        let text = Array(name.utf8) + [0]
        var places: [UInt32] = []
        var start: UInt64 = 0
        while start < strings.byteCount {
            // A name may begin in this piece and end in the next one.
            let bytes = try strings.read(at: start, count: pieceBytes + text.count - 1)
            guard !bytes.isEmpty else { break }
            bytes.withUnsafeBytes { all in
                guard let base = all.baseAddress, all.count >= text.count else { return }
                var cursor = 0
                let end = all.count - text.count + 1
                while cursor < end, places.count < maximumPlaceCount,
                    let hit = memchr(base + cursor, Int32(text[0]), end - cursor)
                {
                    let place = UnsafeRawPointer(hit) - base
                    if memcmp(hit, text, text.count) == 0, let whole = UInt32(exactly: start + UInt64(place)) {
                        places.append(whole)
                    }
                    cursor = place + 1
                }
            }
            start += UInt64(pieceBytes)
        }
        return places
    }

    private mutating func take(_ symbols: SlicedByteSource, _ places: [UInt32: String]) throws(ELFError) {
        var isGlobal: Set<String> = []
        let pieceBytes = Self.pieceBytes / Self.symbolBytes * Self.symbolBytes
        var start: UInt64 = 0
        while start < symbols.byteCount {
            let bytes = try symbols.read(at: start, count: pieceBytes)
            guard bytes.count >= Self.symbolBytes else { break }
            bytes.withUnsafeBytes { all in
                for base in stride(from: 0, through: all.count - Self.symbolBytes, by: Self.symbolBytes) {
                    let place = UInt32(littleEndian: all.loadUnaligned(fromByteOffset: base, as: UInt32.self))
                    guard let name = places[place] else { continue }
                    let info = all[base + 4]
                    let section = UInt16(littleEndian: all.loadUnaligned(fromByteOffset: base + 6, as: UInt16.self))
                    // Not one that is elsewhere, and a variable or a label of assembler.
                    guard section != 0, info & 15 <= 1, !isGlobal.contains(name) else { continue }
                    // A driver may have a variable of its own with the name; the kernel's is for all.
                    if info >> 4 == 1 { isGlobal.insert(name) }
                    addresses[name] = UInt64(
                        littleEndian: all.loadUnaligned(fromByteOffset: base + 8, as: UInt64.self))
                }
            }
            start += UInt64(pieceBytes)
        }
    }
}
