/// The notes of a process's core, as Linux writes them.
extension ELFBuilder {
    /// `NT_PRSTATUS`: registers of a thread, which are all zero here.
    package func threadNote(id: UInt32, signal: UInt16 = 0) -> Note {
        var status = writer
        status.uint32(UInt32(signal))
        status.pad(to: 12)
        status.uint16(signal)
        status.pad(to: 16)
        status.word(0)
        status.word(0)
        status.uint32(id)
        // How large the registers make it, by `e_machine`; elfutils knows a note by its size.
        status.pad(to: [62: 336, 3: 144, 183: 392, 40: 148, 21: 504, 22: 336][machine] ?? 336)
        return Note("CORE", 1, status.bytes)
    }

    /// `NT_PRPSINFO`: 16 bytes of name, 80 bytes of command line.
    package func processNote(id: UInt32, name: String, commandLine: String) -> Note {
        let nameOffset = wide ? 40 : 28
        var info = writer
        info.pad(to: nameOffset - 16)
        info.uint32(id)
        info.pad(to: nameOffset)
        info.raw(name.utf8.prefix(15))
        info.pad(to: nameOffset + 16)
        info.raw(commandLine.utf8.prefix(79))
        info.pad(to: nameOffset + 96)
        return Note("CORE", 3, info.bytes)
    }

    /// `NT_SIGINFO`: siginfo_t with a fault address.
    package func signalNote(_ signal: UInt32, code: UInt32, address: UInt64) -> Note {
        var info = writer
        info.uint32(signal)
        info.uint32(0)
        info.uint32(code)
        if wide { info.uint32(0) }
        info.word(address)
        info.pad(to: 128)
        return Note("CORE", 0x5349_4749, info.bytes)
    }

    /// `NT_AUXV`, ended by `AT_NULL`.
    package func auxiliaryNote(_ values: [(key: UInt64, value: UInt64)]) -> Note {
        var vector = writer
        for (key, value) in values + [(0, 0)] {
            vector.word(key)
            vector.word(value)
        }
        return Note("CORE", 6, vector.bytes)
    }

    /// `NT_FILE`; offsets are in pages of 4096 bytes.
    package func filesNote(
        _ files: [(start: UInt64, end: UInt64, page: UInt64, path: [UInt8])], statedCount: UInt64? = nil,
        terminated: Bool = true
    ) -> Note {
        var list = writer
        list.word(statedCount ?? UInt64(files.count))
        list.word(4096)
        for file in files {
            list.word(file.start)
            list.word(file.end)
            list.word(file.page)
        }
        for file in files { list.raw(file.path + [0]) }
        return Note("CORE", 0x4649_4c45, terminated ? list.bytes : Array(list.bytes.dropLast()))
    }

    /// The first page of a shared object of the same machine: one segment of text, one of data, notes, a dynamic section.
    ///
    /// - Parameters:
    ///   - debugAddress: `DT_DEBUG`, where the dynamic loader keeps its list.
    ///   - isProgram: Whether to name a loader and set `DF_1_PIE`.
    ///   - span: How much memory the whole object takes, in bytes.
    package func firstPage(
        buildIDs: [[UInt8]] = [], packageNote: [UInt8]? = nil, soname: String? = nil, debugAddress: UInt64? = nil,
        isProgram: Bool = false,
        span: UInt64 = 0x4000
    ) -> [UInt8] {
        var image = ELFBuilder(wide: wide, bigEndian: bigEndian, machine: machine, type: 3)
        image.notes = buildIDs.map { Note("GNU", 3, $0) }
        if let packageNote { image.notes.append(Note("FDO", 0xcafe_1a7e, packageNote)) }
        var tags: [(tag: UInt64, value: UInt64)] = []
        let (dynamicStart, namesStart) = (UInt64(0xc00), UInt64(0xd00))
        if soname != nil { tags += [(14, 1), (5, namesStart)] }
        if let debugAddress { tags.append((21, debugAddress)) }
        if isProgram { tags.append((0x6fff_fffb, 1 << 27)) }
        tags.append((0, 0))
        var dynamic = writer
        for entry in tags {
            dynamic.word(entry.tag)
            dynamic.word(entry.value)
        }
        let size = UInt64(dynamic.bytes.count)
        image.segments = [
            Segment(at: 0, memorySize: 0x1000, flags: 5, statedOffset: 0, statedFileSize: 0x1000),
            Segment(at: 0x1000, memorySize: span - 0x1000, flags: 6, statedOffset: 0x1000, statedFileSize: 0x1000),
            Segment(type: 2, at: dynamicStart, memorySize: size, statedOffset: dynamicStart, statedFileSize: size),
        ]
        if isProgram {
            image.segments.append(Segment(type: 3, at: 0xe00, memorySize: 8, statedOffset: 0xe00, statedFileSize: 8))
        }
        var page = writer
        page.raw(image.build())
        page.pad(to: Int(dynamicStart))
        page.raw(dynamic.bytes)
        page.pad(to: Int(namesStart) + 1)
        page.raw((soname ?? "").utf8)
        page.pad(to: 0xe00)
        if isProgram { page.raw("/ld.so.1".utf8.dropLast() + [0]) }
        page.pad(to: 4096)
        return page.bytes
    }
}
