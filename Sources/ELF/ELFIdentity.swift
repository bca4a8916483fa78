package import CrashModel

/// What an ELF file is and whose: the facts that tie a mapped file to a package.
package struct ELFIdentity: Hashable, Sendable {
    package let type: ELFHeader.FileType
    /// nil for a machine that the project does not know.
    package let architecture: Architecture?
    /// The first build-id in the file's notes.
    package let buildID: BuildID?
    package let packageNote: PackageNote?
    /// `PT_INTERP`: the dynamic loader that a program asks for.
    package let interpreter: String?
    /// Whether notes lie outside the bytes that were given, so that a longer prefix could tell more.
    package let isPartial: Bool
    /// Where notes lie that the given bytes do not reach, in bytes of the file: the first such segment, `PT_NOTE`. A
    /// kernel's vmlinux has them behind all of its code.
    package let missingNotes: Range<UInt64>?
    /// What a person should know, a sentence each.
    package let remarks: [String]

    /// Reads the identity from the beginning of a file, usually its first 64 KiB.
    ///
    /// - Throws: ``ELFError`` when the bytes do not begin as an ELF file does.
    package init(prefix: [UInt8]) throws(ELFError) {
        self = try ELFFile(MemoryByteSource(prefix)).identity()
    }

    /// Reads it from the beginning of a file and the notes that it lacked.
    ///
    /// - Parameters:
    ///   - notes: What the file has at ``missingNotes``.
    ///   - offset: Where that is, in bytes.
    /// - Throws: ``ELFError`` when the bytes do not begin as an ELF file does.
    package init(prefix: [UInt8], notes: [UInt8], at offset: UInt64) throws(ELFError) {
        self = try ELFFile(PiecedByteSource(prefix: prefix, piece: notes, pieceOffset: offset)).identity()
    }

    init(
        file: ELFFile, notes: IdentityNotes, interpreter: String?, isPartial: Bool, missingNotes: Range<UInt64>?
    ) {
        type = file.header.type
        architecture = file.header.architecture
        buildID = notes.buildID
        packageNote = notes.packageNote
        self.interpreter = interpreter
        self.isPartial = isPartial
        self.missingNotes = missingNotes
        remarks = notes.remarks
    }
}

extension ELFFile {
    /// Type, architecture, build-id, package note and interpreter of the file.
    ///
    /// The notes are those of the segments, or, where there are no such segments (kernel modules, some debug files), of
    /// the sections.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``.
    package func identity() throws(ELFError) -> ELFIdentity {
        var notes = IdentityNotes()
        var isPartial = segmentsAreCut
        let complete = try forEachNote(limit: IdentityNotes.maximumNoteCount) { (note) throws(ELFError) in
            notes.take(note, try content(of: note, limit: IdentityNotes.maximumContentBytes))
            return true
        }
        if !complete { isPartial = true }
        if notes.buildID == nil, layout == .file {
            do {
                try takeSectionNotes(into: &notes)
            } catch .truncated {
                isPartial = true
            }
        }
        return ELFIdentity(
            file: self, notes: notes, interpreter: try interpreter(), isPartial: isPartial && notes.buildID == nil,
            missingNotes: notes.buildID == nil ? missingNotes : nil)
    }

    private var missingNotes: Range<UInt64>? {
        guard layout == .file else { return nil }
        let missing = segments.first { segment in
            segment.kind == .note && segment.fileSize > 0 && segment.fileEnd.map { $0 > source.byteCount } ?? false
        }
        return missing.flatMap { segment in segment.fileEnd.map { segment.offset..<$0 } }
    }

    private func takeSectionNotes(into notes: inout IdentityNotes) throws(ELFError) {
        var budget = IdentityNotes.maximumNoteCount
        for section in try sections() where section.type == 7 {
            _ = try walkNotes(
                at: section.offset, size: section.size, alignment: section.alignment, budget: &budget
            ) { (note) throws(ELFError) in
                notes.take(note, try content(of: note, limit: IdentityNotes.maximumContentBytes))
                return true
            }
        }
    }

    private func interpreter() throws(ELFError) -> String? {
        guard let segment = segments.first(where: { $0.kind == .interpreter }) else { return nil }
        let size = Int(min(segment.fileSize, 4096))
        let bytes = fields(try source.read(at: position(of: segment), count: size)).cString(at: 0, limit: size)
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }
}
