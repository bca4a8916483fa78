import CrashModel

/// Gathers the notes that identify a file, and what is odd about them.
struct IdentityNotes {
    private(set) var buildID: BuildID?
    private(set) var packageNote: PackageNote?
    private(set) var remarks: [String] = []

    /// The most that is read of one note: a `.note.package` has a few hundred bytes.
    static let maximumContentBytes = 16_384
    /// The most notes that are looked at in one file: real ones have less than ten, a kernel some dozens.
    static let maximumNoteCount = 1024

    private static let buildIDType: UInt32 = 3
    private static let packageType: UInt32 = 0xcafe_1a7e

    mutating func take(_ note: ELFNote, _ content: FieldDecoder) {
        switch (note.name, note.type) {
        case ("GNU", Self.buildIDType): takeBuildID(note, content.bytes)
        case ("FDO", Self.packageType): takePackageNote(note, content.bytes)
        default: break
        }
    }

    private mutating func takeBuildID(_ note: ELFNote, _ bytes: [UInt8]) {
        guard UInt64(bytes.count) == note.size, let found = try? BuildID(bytes: bytes)
        else {
            remark("a build-id of \(note.size) bytes was ignored: real ones have 2 to 64")
            return
        }
        guard let buildID else {
            buildID = found
            return
        }
        if buildID != found { remark("there are two build-ids, \(buildID) and \(found): the first one counts") }
    }

    private mutating func takePackageNote(_ note: ELFNote, _ bytes: [UInt8]) {
        guard note.size <= UInt64(Self.maximumContentBytes), UInt64(bytes.count) == note.size else {
            remark("a package note of \(note.size) bytes was ignored: it is cut off or longer than 16 KiB")
            return
        }
        guard let found = PackageNote(json: bytes) else {
            remark("a package note was ignored: it is not a small, flat JSON object with type, name and version")
            return
        }
        guard let packageNote else {
            packageNote = found
            return
        }
        if packageNote != found { remark("there are two different package notes: the first one counts") }
    }

    private mutating func remark(_ sentence: String) {
        if remarks.count < 8, !remarks.contains(sentence) { remarks.append(sentence) }
    }
}
