/// Builds ELF files and cores of any class, byte order and machine, right or wrong.
package struct ELFBuilder {
    package var wide = true
    package var bigEndian = false
    /// `e_machine`: 62 is x86-64, 3 i386, 183 aarch64, 21 ppc64, 22 s390, 40 arm.
    package var machine: UInt16 = 62
    /// `e_type`: 4 is a core, 3 a shared object.
    package var type: UInt16 = 4
    package var entry: UInt64 = 0
    package var notes: [Note] = []
    package var noteAlignment: UInt64 = 0
    package var segments: [Segment] = []
    /// Written instead of the number of program headers.
    package var statedSegmentCount: UInt16?
    /// Whether to count the program headers in a first section header (`PN_XNUM`).
    package var extendedNumbering = false
    /// Sections appended behind everything, with a table of names.
    package var sections: [Section] = []

    package struct Note {
        package var name: String
        package var type: UInt32
        package var content: [UInt8]
        package var statedNameSize: UInt32?
        package var statedSize: UInt32?

        package init(
            _ name: String, _ type: UInt32, _ content: [UInt8], statedNameSize: UInt32? = nil,
            statedSize: UInt32? = nil
        ) {
            self.name = name
            self.type = type
            self.content = content
            self.statedNameSize = statedNameSize
            self.statedSize = statedSize
        }
    }

    package struct Segment {
        package var type: UInt32 = 1
        /// 4 read, 2 write, 1 execute.
        package var flags: UInt32
        package var address: UInt64
        package var physicalAddress: UInt64 = 0
        package var memorySize: UInt64
        package var content: [UInt8]
        package var statedOffset: UInt64?
        package var statedFileSize: UInt64?

        package init(
            type: UInt32 = 1, at address: UInt64, memorySize: UInt64? = nil, flags: UInt32 = 4,
            content: [UInt8] = [], statedOffset: UInt64? = nil, statedFileSize: UInt64? = nil,
            physicalAddress: UInt64 = 0
        ) {
            self.type = type
            self.flags = flags
            self.address = address
            self.physicalAddress = physicalAddress
            self.memorySize = memorySize ?? UInt64(content.count)
            self.content = content
            self.statedOffset = statedOffset
            self.statedFileSize = statedFileSize
        }
    }

    package struct Section {
        package var name: String
        package var type: UInt32
        package var content: [UInt8]

        package init(_ name: String, type: UInt32 = 1, _ content: [UInt8]) {
            self.name = name
            self.type = type
            self.content = content
        }
    }

    package init(wide: Bool = true, bigEndian: Bool = false, machine: UInt16 = 62, type: UInt16 = 4) {
        self.wide = wide
        self.bigEndian = bigEndian
        self.machine = machine
        self.type = type
    }

    package var writer: BinaryWriter { BinaryWriter(bigEndian: bigEndian, wide: wide) }
    package var headerSize: Int { wide ? 64 : 52 }
    package var segmentEntrySize: Int { wide ? 56 : 32 }
    package var sectionEntrySize: Int { wide ? 64 : 40 }

    /// The notes as they lie in a segment.
    package var noteBytes: [UInt8] {
        let unit = noteAlignment == 8 ? 8 : 4
        var all = writer
        for note in notes {
            let name = Array(note.name.utf8) + [0]
            all.uint32(note.statedNameSize ?? UInt32(name.count))
            all.uint32(note.statedSize ?? UInt32(note.content.count))
            all.uint32(note.type)
            all.raw(name)
            all.align(unit)
            all.raw(note.content)
            all.align(unit)
        }
        return all.bytes
    }

    /// The whole file: header, program headers, notes, the segments' content, sections.
    ///
    /// The segment of the notes comes first, where there are notes; its address is its place in the file.
    package func build() -> [UInt8] {
        let notes = noteBytes
        let count = segments.count + (notes.isEmpty ? 0 : 1)
        let noteOffset = (headerSize + count * segmentEntrySize + 7) & ~7
        var table = writer
        if !notes.isEmpty {
            writeSegment(
                Segment(type: 4, at: type == 4 ? 0 : UInt64(noteOffset), memorySize: UInt64(notes.count)),
                offset: UInt64(noteOffset), size: UInt64(notes.count), into: &table)
        }
        var body = writer
        body.raw(notes)
        body.align(8)
        for segment in segments {
            let offset = segment.statedOffset ?? UInt64(noteOffset + body.bytes.count)
            writeSegment(
                segment, offset: offset, size: segment.statedFileSize ?? UInt64(segment.content.count), into: &table)
            body.raw(segment.content)
        }
        var file = writer
        let end = noteOffset + body.bytes.count
        let tail = sectionTable(at: end, segmentCount: count)
        file.raw(header(segmentCount: count, sectionOffset: tail.offset, sectionCount: tail.count))
        file.raw(table.bytes)
        file.pad(to: noteOffset)
        file.raw(body.bytes)
        file.raw(tail.bytes)
        return file.bytes
    }

    private func header(segmentCount: Int, sectionOffset: Int, sectionCount: Int) -> [UInt8] {
        var header = writer
        header.raw([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, bigEndian ? 2 : 1, 1])
        header.pad(to: 16)
        header.uint16(type)
        header.uint16(machine)
        header.uint32(1)
        header.word(entry)
        header.word(UInt64(headerSize))
        header.word(UInt64(sectionOffset))
        header.uint32(0)
        header.uint16(UInt16(headerSize))
        header.uint16(UInt16(segmentEntrySize))
        header.uint16(statedSegmentCount ?? (extendedNumbering ? 0xffff : UInt16(truncatingIfNeeded: segmentCount)))
        header.uint16(sectionOffset == 0 ? 0 : UInt16(sectionEntrySize))
        header.uint16(UInt16(sectionCount))
        header.uint16(sections.isEmpty ? 0 : UInt16(sectionCount - 1))
        return header.bytes
    }

    private func writeSegment(_ segment: Segment, offset: UInt64, size: UInt64, into table: inout BinaryWriter) {
        table.uint32(segment.type)
        if wide { table.uint32(segment.flags) }
        table.word(offset)
        table.word(segment.address)
        table.word(segment.physicalAddress)
        table.word(size)
        table.word(segment.memorySize)
        if !wide { table.uint32(segment.flags) }
        table.word(segment.type == 4 ? noteAlignment : 1)
    }

    private func sectionTable(at end: Int, segmentCount: Int) -> (bytes: [UInt8], offset: Int, count: Int) {
        guard extendedNumbering || !sections.isEmpty else { return ([], 0, 0) }
        var bytes = writer
        var headers = writer
        writeSection(name: 0, type: 0, offset: 0, size: 0, info: UInt32(segmentCount), into: &headers)
        var names: [UInt8] = [0]
        let all = sections.isEmpty ? [] : sections + [Section(".shstrtab", type: 3, [])]
        for section in all {
            let name = names.count
            names += Array(section.name.utf8) + [0]
            let content = section.name == ".shstrtab" ? names : section.content
            writeSection(
                name: UInt32(name), type: section.type, offset: UInt64(end + bytes.bytes.count),
                size: UInt64(content.count), info: 0, into: &headers)
            bytes.raw(content)
            bytes.align(4)
        }
        let offset = end + bytes.bytes.count
        bytes.raw(headers.bytes)
        return (bytes.bytes, offset, all.isEmpty ? 1 : all.count + 1)
    }

    private func writeSection(
        name: UInt32, type: UInt32, offset: UInt64, size: UInt64, info: UInt32, into table: inout BinaryWriter
    ) {
        table.uint32(name)
        table.uint32(type)
        table.word(0)
        table.word(0)
        table.word(offset)
        table.word(size)
        table.uint32(0)
        table.uint32(info)
        table.word(4)
        table.word(0)
    }
}
