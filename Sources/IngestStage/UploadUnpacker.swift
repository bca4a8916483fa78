import Archives
import Coredumps
import CrashModel
import ELF
import SystemPackage

/// Unpacks one upload into one directory, member by member, and keeps the limits.
struct UploadUnpacker {
    private let reader: ArchiveReader
    private let upload: Upload
    private var kind: DumpKind { upload.kind }
    private let destination: DirectoryDescriptor
    /// That of the destination.
    private let path: FilePath
    private let limits: IngestLimits
    private let progress: (IngestProgress) -> Void
    /// Of a kernel's dump what is known of it before all of it is there.
    private var beginning: DumpBeginning
    private var headers = 0
    private var seen: Set<Member> = []
    /// The sizes that the headers announced so far.
    private var announcedBytes: Int64 = 0
    /// What was really written so far, without the holes.
    private var storedBytes: Int64 = 0
    private var reportedBytes: Int64 = 0

    private static let progressStep: Int64 = 16 << 20
    private var maxUnpackedBytes: Int64 { limits.unpackedBytes(of: kind) }

    /// - Parameter path: That of the destination.
    init(
        _ reader: ArchiveReader, of upload: Upload, into destination: DirectoryDescriptor, at path: FilePath,
        limits: IngestLimits, progress: @escaping (IngestProgress) -> Void
    ) {
        self.reader = reader
        self.upload = upload
        self.destination = destination
        self.path = path
        beginning = DumpBeginning(path.appending(Member.vmcore.rawValue))
        self.limits = limits
        self.progress = progress
    }

    /// Unpacks everything, then sees whether all is there.
    ///
    /// - Throws: ``StageError`` with any of the codes of ingest.
    mutating func run(_ type: ContentType) throws(StageError) {
        while let entry = try next(type) {
            headers += 1
            guard headers <= limits.maxMembers else {
                throw StageError(ArchiveError(.tooManyEntries, ""))
            }
            if reader.isRaw {
                // Nothing would come out but the file itself, which has been looked at: a copy of it tells no more.
                guard !reader.compressions.isEmpty else { throw upload.refusal() }
                try writeRaw()
                seen.insert(.vmcore)
                continue
            }
            guard let member = try Member.named(by: entry, of: kind) else { continue }
            guard seen.insert(member).inserted else {
                throw .refused(
                    .duplicateMember, "The archive has two members named \(member.rawValue).",
                    "Pack every file of the crash once.")
            }
            try checkSize(of: entry, member)
            if member.isKept { try write(entry, member) }
        }
        guard headers > 0 else {
            throw .refused(.notAnArchive, "The archive is empty.", "Pack the files of the crash into it.")
        }
        try checkCompleteness()
        try nameSnapshot()
        progress(.unpacked(announcedBytes, beginning.kernel))
    }

    private func checkCompleteness() throws(StageError) {
        switch kind {
        case .coredump:
            if let missing = Member.required.first(where: { !seen.contains($0) }) {
                throw .refused(
                    .missingMember, "The archive has no file '\(missing.rawValue)'.",
                    "A crash needs \(Member.required.map(\.rawValue).joined(separator: ", ")).")
            }
        case .vmcore:
            let dumps = seen.intersection(Member.kernelDumps)
            guard !dumps.isEmpty else {
                throw .refused(
                    .missingMember, "The archive has no file 'vmcore'.",
                    "Pack the kernel's dump as a file named vmcore.")
            }
            if dumps == [.vmcoreMemory] { try checkMemoryAlone() }
        }
    }

    /// Upstream takes any dump under this name; VMware's bare memory says nothing without its snapshot.
    private func checkMemoryAlone() throws(StageError) {
        let file = path.appending(Member.vmcoreMemory.rawValue)
        if let source = try? FileByteSource(file), case .vmcore = try? dumpKind(of: source) { return }
        throw .refused(
            .missingMember,
            "The archive has the memory of VMware's machine, 'vmcore.vmem', without the snapshot that belongs to it.",
            "Pack the .vmss or .vmsn that lies beside it too, as vmcore.vmss or vmcore.vmsn; 'retrace submit "
                + "machine.vmss' packs both.")
    }

    /// crash looks for the memory by the snapshot's name, so a snapshot that came as `vmcore` beside its memory gets one of
    /// those names.
    private func nameSnapshot() throws(StageError) {
        guard seen.isSuperset(of: [.vmcore, .vmcoreMemory]),
            let name = Member.snapshots.first(where: { !seen.contains($0) }),
            ServerFiles.isSnapshot(path.appending(Member.vmcore.rawValue))
        else { return }
        try answering { () throws(ArchiveError) in
            try destination.rename(Member.vmcore.rawValue, to: name.rawValue)
        }
    }

    private func next(_ type: ContentType) throws(StageError) -> ArchiveEntry? {
        // A compression that contradicts the media type says more than whatever then goes wrong inside it.
        if headers == 0, !reader.compressions.isEmpty, !type.allows(reader.compressions) {
            throw .otherCompression(than: type, found: reader.compressions)
        }
        let entry = try answering { () throws(ArchiveError) in
            let entry = try reader.nextEntry()
            if entry == nil { try reader.close() }
            return entry
        }
        if headers == 0, entry != nil, !type.allows(reader.compressions) {
            throw .otherCompression(than: type, found: reader.compressions)
        }
        return entry
    }

    /// Writes a dump that is compressed but not packed; its size is known only at its end.
    private mutating func writeRaw() throws(StageError) {
        let content = try answering { () throws(ArchiveError) in
            guard let file = try destination.createFile(Member.vmcore.rawValue, mode: 0o600) else {
                throw ArchiveError(.system, "vmcore is there already")
            }
            return FileContentWriter(takingOwnershipOf: file, leavesHoles: true)
        }
        var end: Int64 = 0
        var checked: Int64 = -1
        while let block = try answering({ () throws(ArchiveError) in try reader.nextBlock() }) {
            guard block.offset >= end else { throw StageError(ArchiveError(.damaged, "the blocks are in no order")) }
            end = block.offset + Int64(block.bytes.count)
            guard end <= maxUnpackedBytes else { throw .tooLarge(kind, limits: limits) }
            // The free space need not be asked for at each block of 64 KiB.
            if content.storedBytes >> 24 != checked {
                checked = content.storedBytes >> 24
                try checkFreeSpace()
            }
            try answering { () throws(ArchiveError) in try content.write(block) }
            try checkRatio(content.storedBytes)
            beginning.look(after: end, progress)
            report(end)
        }
        try answering { () throws(ArchiveError) in try content.finish(byteCount: end) }
        announcedBytes = end
        storedBytes = content.storedBytes
    }

    /// Whether there is room for what is written until the next look.
    private func checkFreeSpace() throws(StageError) {
        let free = try answering { () throws(ArchiveError) in try destination.freeBytes() }
        guard free - (1 << 24) >= limits.minFreeBytes else { throw .noSpaceLeft() }
    }

    private mutating func checkSize(of entry: ArchiveEntry, _ member: Member) throws(StageError) {
        guard entry.byteCount >= 0 else { throw StageError(ArchiveError(.damaged, "")) }
        if let most = member.maxBytes, entry.byteCount > most {
            throw .refused(
                .memberTooLarge, "The file '\(member.rawValue)' has \(entry.byteCount) bytes; \(most) are allowed.",
                "It should hold one short text.")
        }
        guard entry.byteCount <= maxUnpackedBytes - announcedBytes else {
            throw .tooLarge(kind, limits: limits)
        }
        announcedBytes += entry.byteCount
    }

    private mutating func write(_ entry: ArchiveEntry, _ member: Member) throws(StageError) {
        let free = try answering { () throws(ArchiveError) in try destination.freeBytes() }
        guard free - entry.byteCount >= limits.minFreeBytes else { throw .noSpaceLeft() }
        let content = try answering { () throws(ArchiveError) in
            guard let file = try destination.createFile(member.rawValue, mode: 0o600) else {
                throw ArchiveError(.system, "\(member.rawValue) is there already")
            }
            return FileContentWriter(takingOwnershipOf: file, leavesHoles: true)
        }
        var end: Int64 = 0
        var checked: Int64 = 0
        while let block = try answering({ () throws(ArchiveError) in try reader.nextBlock() }) {
            // Another upload may be unpacked beside this one, and both found the space that there was.
            if content.storedBytes >> 24 != checked {
                checked = content.storedBytes >> 24
                try checkFreeSpace()
            }
            guard block.offset >= end, block.offset <= entry.byteCount,
                Int64(block.bytes.count) <= entry.byteCount - block.offset
            else { throw StageError(ArchiveError(.damaged, "a member is longer than its header says")) }
            end = block.offset + Int64(block.bytes.count)
            try answering { () throws(ArchiveError) in try content.write(block) }
            try checkRatio(storedBytes + content.storedBytes)
            if member == .vmcore { beginning.look(after: end, progress) }
            report(announcedBytes - entry.byteCount + end)
        }
        try answering { () throws(ArchiveError) in try content.finish(byteCount: entry.byteCount) }
        storedBytes += content.storedBytes
    }

    private func checkRatio(_ stored: Int64) throws(StageError) {
        guard stored > limits.ratioFloorBytes, stored / max(reader.bytesRead, 1) >= limits.maxCompressionRatio else {
            return
        }
        throw .refused(
            .decompressionBomb, "The archive unpacks to over \(limits.maxCompressionRatio) times its size.",
            "Real cores do not; if this one does, ask the server's operator to raise the limit.")
    }

    private mutating func report(_ bytes: Int64) {
        guard bytes - reportedBytes >= Self.progressStep else { return }
        reportedBytes = bytes
        progress(.unpacked(bytes, beginning.kernel))
    }
}

/// Runs what reads or writes files, and turns its failure into the stage's.
func answering<Value>(_ body: () throws(ArchiveError) -> Value) throws(StageError) -> Value {
    do throws(ArchiveError) {
        return try body()
    } catch {
        throw StageError(error)
    }
}

extension StageError {
    /// What was sent is more than this server takes, unpacked and with its holes.
    static func tooLarge(_ kind: DumpKind, limits: IngestLimits) -> StageError {
        .refused(
            .unpackedTooLarge,
            "The files of the crash have more than \(limits.unpackedBytes(of: kind) >> 20) MiB together.",
            kind == .coredump
                ? "That is all that this server takes; coredump_filter (core(5)) makes cores smaller."
                : "That is all that this server takes; makedumpfile -d 31 makes dumps of kernels smaller.")
    }

    /// The upload is compressed otherwise than its media type says.
    static func otherCompression(than type: ContentType, found compressions: [ArchiveCompression]) -> StageError {
        let found =
            compressions.isEmpty
            ? "not compressed" : "compressed with \(compressions.map(\.rawValue).joined(separator: " and "))"
        return .refused(
            .contentTypeMismatch, "The upload is declared as \(type.rawValue), but it is \(found).",
            "Send it with the media type that it has.")
    }
}
