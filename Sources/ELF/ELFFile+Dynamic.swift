extension ELFFile {
    /// One entry of the dynamic section, under the names of elf.h.
    package struct DynamicTag: Hashable, Sendable {
        package let rawValue: UInt64
        package static let needed = Self(rawValue: 1)
        package static let stringTable = Self(rawValue: 5)
        package static let soname = Self(rawValue: 14)
        package static let debug = Self(rawValue: 21)
        /// `DT_FLAGS_1`; its bit 27 (`DF_1_PIE`) marks a program among shared objects.
        package static let flags1 = Self(rawValue: 0x6fff_fffb)
    }

    /// The values of the dynamic section by tag, the first of each; at most 512 entries are read.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``.
    package func dynamicValues() throws(ELFError) -> [DynamicTag: UInt64] {
        Dictionary(try dynamicEntries().map { ($0.tag, $0.value) }) { first, _ in first }
    }

    /// The entries of the dynamic section in their order, at most 512.
    private func dynamicEntries() throws(ELFError) -> [(tag: DynamicTag, value: UInt64)] {
        guard let segment = segments.first(where: { $0.kind == .dynamic }) else { return [] }
        let word = header.elfClass.wordSize
        let stated = layout == .image ? segment.memorySize : segment.fileSize
        let bytes = try source.read(at: position(of: segment), count: Int(min(stated, UInt64(512 * 2 * word))))
        let table = fields(bytes)
        var entries: [(DynamicTag, UInt64)] = []
        for offset in stride(from: 0, to: bytes.count, by: 2 * word) {
            guard let tag = table.word(at: offset), let value = table.word(at: offset + word), tag != 0 else { break }
            entries.append((DynamicTag(rawValue: tag), value))
        }
        return entries
    }

    /// `DT_NEEDED` of a file on disk: the names of the libraries that the dynamic loader loads with it, at most 512, in
    /// order.
    ///
    /// Names that are empty, or longer than 255 bytes, are left out.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``.
    package func neededLibraries() throws(ELFError) -> [String] {
        let entries = try dynamicEntries()
        guard let table = entries.first(where: { $0.tag == .stringTable })?.value,
            let start = position(ofAddress: table)
        else { return [] }
        var names: [String] = []
        for entry in entries where entry.tag == .needed {
            let (position, overflow) = start.addingReportingOverflow(entry.value)
            guard !overflow, let text = fields(try source.read(at: position, count: 256)).cString(at: 0, limit: 256),
                !text.isEmpty
            else { continue }
            names.append(String(decoding: text, as: UTF8.self))
        }
        return names
    }

    /// `DT_SONAME`; nil when there is none or its text is not in the source.
    ///
    /// - Parameter base: The address at which an image is mapped: the dynamic loader writes real addresses into the
    ///   dynamic section of what it loads, but not into the vdso's.
    /// - Throws: ``ELFError/unreadable(_:)``.
    package func soname(mappedAt base: UInt64 = 0) throws(ELFError) -> String? {
        let values = try dynamicValues()
        guard let name = values[.soname], let table = values[.stringTable] else { return nil }
        let relocated = layout == .image && table >= base && table - base < imageSize
        guard let start = relocated ? table - base : position(ofAddress: table) else { return nil }
        let (position, overflow) = start.addingReportingOverflow(name)
        guard !overflow, let text = fields(try source.read(at: position, count: 256)).cString(at: 0, limit: 256),
            !text.isEmpty
        else { return nil }
        return String(decoding: text, as: UTF8.self)
    }
}
