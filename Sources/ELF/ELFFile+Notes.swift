/// One note, elf(5): who defined it, what it is, and where its content lies.
package struct ELFNote: Hashable, Sendable {
    /// The owner without its terminator: `CORE`, `LINUX`, `GNU`; cut to 64 bytes.
    package let name: String
    package let type: UInt32
    /// Where the content begins in the source, in bytes.
    package let offset: UInt64
    /// The size that the note states for its content, in bytes; what is there may be less.
    package let size: UInt64
    /// Whether the segment or the file ends inside the content.
    package let isCut: Bool
}

extension ELFFile {
    /// The most notes that are walked: more than 65,000 threads have.
    package static let maximumNoteCount = 262_144

    /// The notes of all `PT_NOTE` segments, in order.
    ///
    /// - Parameters:
    ///   - limit: How many notes are walked at most.
    ///   - visit: Answers whether to go on.
    /// - Returns: Whether all notes could be walked to their end; false when the file ends or contradicts itself before.
    /// - Throws: ``ELFError/unreadable(_:)``.
    package func forEachNote(
        limit: Int = ELFFile.maximumNoteCount, _ visit: (ELFNote) throws(ELFError) -> Bool
    ) throws(ELFError) -> Bool {
        var budget = limit
        var complete = true
        for segment in segments where segment.kind == .note && segment.fileSize > 0 {
            let start = position(of: segment)
            let walked = try walkNotes(
                at: start, size: segment.fileSize, alignment: segment.alignment, budget: &budget, visit)
            switch walked {
            case .stopped: return complete
            case .ended: continue
            case .broken: complete = false
            }
        }
        return complete
    }

    enum NoteWalk { case ended, stopped, broken }

    /// Walks notes that lie one after another. Only headers and names are read, in windows of a page.
    func walkNotes(
        at start: UInt64, size: UInt64, alignment: UInt64, budget: inout Int,
        _ visit: (ELFNote) throws(ELFError) -> Bool
    ) throws(ELFError) -> NoteWalk {
        let (stated, overflow) = start.addingReportingOverflow(size)
        let end = overflow ? UInt64.max : stated
        // gABI asks for 8 in 64-bit files, but only notes in segments of that alignment have it; see readelf(1).
        let unit: UInt64 = alignment == 8 ? 8 : 4
        var cursor = start
        var window: (base: UInt64, fields: FieldDecoder) = (0, fields([]))
        while end > cursor, end - cursor >= 12 {
            guard budget > 0 else { return .broken }
            budget -= 1
            let held = UInt64(window.fields.bytes.count)
            if cursor < window.base || cursor - window.base >= held || held - (cursor - window.base) < 96 {
                window = (cursor, fields(try source.read(at: cursor, count: 4096)))
            }
            let at = Int(cursor - window.base)
            guard let nameSize = window.fields.uint32(at: at), let size = window.fields.uint32(at: at + 4),
                let type = window.fields.uint32(at: at + 8)
            else { return .broken }
            let nameStart = at + 12
            let nameBytes = window.fields.bytes[nameStart...].prefix(Int(min(nameSize, 64))).prefix { $0 != 0 }
            // 32-bit sizes cannot overflow 64 bits until they are added to the position itself.
            let contentOffset = (12 + UInt64(nameSize) + unit - 1) & ~(unit - 1)
            let step = (contentOffset + UInt64(size) + unit - 1) & ~(unit - 1)
            let (content, wraps) = cursor.addingReportingOverflow(contentOffset)
            guard !wraps, content <= end else { return .broken }
            let isCut =
                UInt64(size) > end - content || content > source.byteCount
                || UInt64(size) > source.byteCount - content
            let note = ELFNote(
                name: String(decoding: nameBytes, as: UTF8.self), type: type, offset: content, size: UInt64(size),
                isCut: isCut)
            guard try visit(note) else { return .stopped }
            if isCut { return .broken }
            let (next, tooFar) = cursor.addingReportingOverflow(step)
            guard !tooFar else { return .broken }
            cursor = next
        }
        return .ended
    }

    /// The content of a note, at most `limit` bytes of it.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``.
    package func content(of note: ELFNote, limit: Int) throws(ELFError) -> FieldDecoder {
        fields(try source.read(at: note.offset, count: Int(min(note.size, UInt64(max(0, limit))))))
    }
}
