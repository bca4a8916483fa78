package import CrashModel

/// One section header, elf(5).
package struct ELFSection: Hashable, Sendable {
    package let name: String
    /// `sh_type`, such as 7 for `SHT_NOTE`.
    package let type: UInt32
    package let flags: UInt64
    package let offset: UInt64
    package let size: UInt64
    package let alignment: UInt64
}

extension ELFFile {
    private static let maximumSectionCount: UInt64 = 65_536
    private static let maximumNameTableBytes: UInt64 = 4 << 20

    /// The sections of the file, the null section excluded; empty when it has none or they cannot be read.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``; ``ELFError/truncated(_:)`` when the file ends before its section headers.
    package func sections() throws(ELFError) -> [ELFSection] {
        let wide = header.elfClass == .bits64
        let entrySize = wide ? 64 : 40
        guard header.sectionHeaderOffset > 0, Int(header.sectionHeaderEntrySize) == entrySize else { return [] }
        let first = fields(try source.read(at: header.sectionHeaderOffset, count: entrySize))
        guard let extendedCount = first.word(at: wide ? 32 : 20), let extendedNames = first.uint32(at: wide ? 40 : 24)
        else { throw .truncated("its section headers") }
        let stated = header.sectionHeaderCount == 0 ? extendedCount : UInt64(header.sectionHeaderCount)
        let count = Int(min(stated, Self.maximumSectionCount))
        let table = fields(try source.read(at: header.sectionHeaderOffset, count: count * entrySize))
        guard table.bytes.count == count * entrySize else { throw .truncated("its section headers") }
        let namesIndex =
            header.sectionNameIndex == 0xffff ? UInt64(extendedNames) : UInt64(header.sectionNameIndex)
        let raw = (0..<count).compactMap { RawSection(table, at: $0 * entrySize) }
        let names = try sectionNames(raw, at: namesIndex)
        return raw.dropFirst().map { section in
            let name = names.cString(at: Int(section.name), limit: 256) ?? []
            return ELFSection(
                name: String(decoding: name, as: UTF8.self), type: section.type, flags: section.flags,
                offset: section.offset, size: section.size, alignment: section.alignment)
        }
    }

    /// The link to the dwz file that this debug file shares DWARF with: its path and its build-id.
    ///
    /// nil when there is none. The path is as hostile as the file. Source: `.gnu_debugaltlink` of dwz(1).
    ///
    /// - Throws: As ``sections()``.
    package func debugAltLink() throws(ELFError) -> (path: String, buildID: BuildID)? {
        guard let content = try section(named: ".gnu_debugaltlink"),
            let path = content.cString(at: 0, limit: 4096), !path.isEmpty
        else { return nil }
        guard let buildID = try? BuildID(bytes: Array(content.bytes.dropFirst(path.count + 1))) else { return nil }
        return (String(decoding: path, as: UTF8.self), buildID)
    }

    /// The name and CRC-32 of the separate file that holds this file's DWARF; nil when there is none.
    ///
    /// Source: `.gnu_debuglink` in gdb's manual, "Separate Debug Files".
    ///
    /// - Throws: As ``sections()``.
    package func debugLink() throws(ELFError) -> (name: String, crc: UInt32)? {
        guard let content = try section(named: ".gnu_debuglink"), let name = content.cString(at: 0, limit: 4096),
            !name.isEmpty, let crc = content.uint32(at: (name.count + 4) & ~3)
        else { return nil }
        return (String(decoding: name, as: UTF8.self), crc)
    }

    private func section(named name: String) throws(ELFError) -> FieldDecoder? {
        guard let section = try sections().first(where: { $0.name == name && $0.type != 8 }) else { return nil }
        return fields(try source.read(at: section.offset, count: Int(min(section.size, 8192))))
    }

    private func sectionNames(_ sections: [RawSection], at index: UInt64) throws(ELFError) -> FieldDecoder {
        guard index < UInt64(sections.count) else { return fields([]) }
        let table = sections[Int(index)]
        return fields(try source.read(at: table.offset, count: Int(min(table.size, Self.maximumNameTableBytes))))
    }
}

private struct RawSection {
    let name: UInt32
    let type: UInt32
    let flags: UInt64
    let offset: UInt64
    let size: UInt64
    let alignment: UInt64

    init?(_ fields: FieldDecoder, at base: Int) {
        let word = fields.elfClass.wordSize
        guard let name = fields.uint32(at: base), let type = fields.uint32(at: base + 4),
            let flags = fields.word(at: base + 8), let offset = fields.word(at: base + 8 + 2 * word),
            let size = fields.word(at: base + 8 + 3 * word),
            let alignment = fields.word(at: base + 16 + 4 * word)
        else { return nil }
        self.name = name
        self.type = type
        self.flags = flags
        self.offset = offset
        self.size = size
        self.alignment = alignment
    }
}
