import CrashModel
import ELF

/// What the notes of a core say: threads, process, signal, files and the auxiliary vector.
///
/// Layouts: `elf_prstatus` and `elf_prpsinfo` of linux/elfcore.h, siginfo_t of sigaction(2), `NT_FILE` of fs/binfmt_elf.c,
/// the auxiliary vector of getauxval(3).
struct CoreNotes {
    private(set) var threads: [CoreThread] = []
    private(set) var processID: Int?
    private(set) var programName: String?
    private(set) var commandLine: String?
    private(set) var signal: CrashSignal?
    /// `si_code` of siginfo_t; nil when the core has none for the signal.
    private(set) var signalCode: Int?
    private(set) var faultAddress: UInt64?
    private(set) var auxiliary: [UInt64: UInt64] = [:]
    /// nil when the core has no `NT_FILE`.
    private(set) var files: [MappedRange]?
    private(set) var isKernelDump = false

    /// The most threads that are listed.
    static let maximumThreadCount = 65_536
    /// The kernel's own bound of `NT_FILE` (`core_file_note_size_limit`), in bytes.
    private static let maximumFileNoteBytes = 16 << 20
    private static let maximumPathBytes = 4096

    /// Keys of ``auxiliary``, under the names of getauxval(3).
    enum AuxiliaryKey {
        static let programHeaders: UInt64 = 3
        static let entry: UInt64 = 9
        static let executableName: UInt64 = 31
        static let vdso: UInt64 = 33
    }

    init(_ file: ELFFile, remarks: inout Remarks) throws(ELFError) {
        var found = remarks
        let complete = try file.forEachNote { (note) throws(ELFError) in
            try take(note, of: file, remarks: &found)
            return true
        }
        if !complete { found.add("The notes of the core end early or contradict themselves; what follows is missing.") }
        remarks = found
    }

    private mutating func take(_ note: ELFNote, of file: ELFFile, remarks: inout Remarks) throws(ELFError) {
        switch (note.name, note.type) {
        case ("CORE", 1): takeStatus(try file.content(of: note, limit: 64), remarks: &remarks)
        case ("CORE", 3): takeProcessInfo(try file.content(of: note, limit: 256))
        case ("CORE", 6): takeAuxiliary(try file.content(of: note, limit: 4096))
        case ("CORE", 0x5349_4749): takeSignalInfo(try file.content(of: note, limit: 128))
        case ("CORE", 0x4649_4c45):
            takeFiles(try file.content(of: note, limit: Self.maximumFileNoteBytes), remarks: &remarks)
        case ("VMCOREINFO", _), ("QEMU", _): isKernelDump = true
        default: break
        }
    }

    private mutating func takeStatus(_ fields: FieldDecoder, remarks: inout Remarks) {
        let word = fields.elfClass.wordSize
        guard let signal = fields.uint16(at: 12), let id = fields.int32(at: 16 + 2 * word) else {
            remarks.add("A thread's registers were cut off.")
            return
        }
        guard threads.count < Self.maximumThreadCount else {
            remarks.add("The core has more than \(Self.maximumThreadCount) threads; the rest are not listed.")
            return
        }
        let number = signal == 0 ? nil : CrashSignal(number: Int(signal))
        // Only the thread that the kernel writes first took the signal that ended the process.
        if threads.isEmpty, self.signal == nil { self.signal = number }
        threads.append(CoreThread(id: Int(id), signal: number))
    }

    private mutating func takeProcessInfo(_ fields: FieldDecoder) {
        // The two names end the structure; before them its fields differ in width from machine to machine.
        let name = fields.bytes.count - 96
        guard name >= 28, programName == nil else { return }
        processID = fields.int32(at: name - 16).map { Int($0) }
        programName = Self.text(fields.bytes[name..<(name + 16)])
        commandLine = Self.text(fields.bytes[(name + 16)...])
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        let end = text.lastIndex { $0 != " " }
        return end.map { String(text[...$0]) }
    }

    private mutating func takeSignalInfo(_ fields: FieldDecoder) {
        // gcore writes one for each thread, SIGSTOP where the process was well: only the signal that the first thread
        // was ended by counts.
        guard signalCode == nil, threads.count <= 1, let number = fields.int32(at: 0), let code = fields.int32(at: 8),
            threads.first.map({ $0.signal?.number == Int(number) }) ?? (number > 0)
        else { return }
        signal = CrashSignal(number: Int(number))
        signalCode = Int(code)
        // SIGILL, SIGBUS, SIGFPE and SIGSEGV have an address, but not when another process sent them (code <= 0).
        guard [4, 7, 8, 11].contains(number), code > 0 else { return }
        faultAddress = fields.word(at: fields.elfClass == .bits64 ? 16 : 12)
    }

    private mutating func takeAuxiliary(_ fields: FieldDecoder) {
        let word = fields.elfClass.wordSize
        guard auxiliary.isEmpty else { return }
        for offset in stride(from: 0, to: fields.bytes.count, by: 2 * word) {
            guard let key = fields.word(at: offset), let value = fields.word(at: offset + word), key != 0 else { break }
            auxiliary[key] = auxiliary[key] ?? value
        }
    }

    private mutating func takeFiles(_ fields: FieldDecoder, remarks: inout Remarks) {
        let word = fields.elfClass.wordSize
        guard files == nil else {
            remarks.add("The core has two lists of mapped files; the first one counts.")
            return
        }
        guard let stated = fields.word(at: 0), let pageSize = fields.word(at: word) else {
            remarks.add("The list of mapped files is cut off.")
            return
        }
        let room = (fields.bytes.count - 2 * word) / (3 * word + 1)
        if stated > UInt64(room) {
            remarks.add("The list of mapped files says it has \(stated) entries, but there is room for \(room) only.")
        }
        let count = Int(min(stated, UInt64(room)))
        var found: [MappedRange] = []
        // A wrong count moves the names; then no name can be trusted.
        var text = stated > UInt64(room) ? fields.bytes.count : (2 + 3 * count) * word
        for index in 0..<count {
            let entry = (2 + 3 * index) * word
            guard let start = fields.word(at: entry), let end = fields.word(at: entry + word),
                let page = fields.word(at: entry + 2 * word)
            else { break }
            guard text < fields.bytes.count, let length = fields.bytes[text...].firstIndex(of: 0).map({ $0 - text })
            else {
                remarks.add("The list of mapped files ends inside a path; \(count - index) entries have no name.")
                break
            }
            let path = fields.bytes[text..<(text + length)]
            text += length + 1
            guard length <= Self.maximumPathBytes else {
                remarks.add("A mapped file was ignored: its path has \(length) bytes, and Linux allows 4096.")
                continue
            }
            guard length > 0, start < end else {
                remarks.add("A mapped file without a name or without a size was ignored.")
                continue
            }
            let (offset, overflow) = page.multipliedReportingOverflow(by: pageSize)
            found.append(MappedRange(start: start, end: end, offset: overflow ? .max : offset, path: Array(path)))
        }
        files = found
    }
}

/// One entry of `NT_FILE`: addresses at which a part of a file was mapped.
struct MappedRange {
    let start: UInt64
    let end: UInt64
    /// Which part of the file, in bytes from its start.
    let offset: UInt64
    /// As the kernel wrote it, with ` (deleted)` where that is so.
    let path: [UInt8]
}
