import CrashModel
package import ELF

/// Reads the facts of a crash out of the ELF core of a user process.
///
/// Of a core of any size only headers, notes and the first page of each mapped file are read. What is damaged or missing
/// is a remark; only what leaves nothing to say is an error. Reading blocks: call it on a thread that may wait.
///
/// - Throws: ``CoredumpError`` when the file is not the core of a user process, or of an unknown machine.
package func readCoredump(_ source: some ByteSource) throws(CoredumpError) -> Coredump {
    switch try dumpKind(of: source) {
    case .coredump: break
    case .unusable(let sentence): throw .notACoredump(sentence)
    case .vmcore: throw .notACoredump("The file is a kernel's vmcore, not the core of a process; send it as a vmcore.")
    }
    return try reading(source) { (reader) throws in try reader.read() }
}

/// Opens the core and does something with its reader; what it throws becomes the error of this module.
func reading<Answer>(
    _ source: some ByteSource, _ action: (inout CoreReader) throws -> Answer
) throws(CoredumpError) -> Answer {
    do {
        var reader = try CoreReader(CountedSource(source, limit: 256 << 20))
        return try action(&reader)
    } catch let error as ELFError {
        switch error {
        case .unreadable(let cause): throw .unreadable(cause)
        case .notELF, .truncated, .malformed: throw .malformed("The core is damaged: \(error).")
        }
    } catch let error as CoredumpError {
        throw error
    } catch {
        throw .unreadable("\(error)")
    }
}

/// One reading of one core.
struct CoreReader {
    let source: CountedSource
    let file: ELFFile
    let memory: CoreMemory
    var remarks = Remarks()

    init(_ source: CountedSource) throws(ELFError) {
        self.source = source
        file = try ELFFile(source)
        memory = CoreMemory(file, source)
    }

    mutating func read() throws -> Coredump {
        guard let architecture = file.header.architecture else {
            throw CoredumpError.unknownMachine(file.header.machine)
        }
        let truncation = checkSegments()
        let notes = try CoreNotes(file, remarks: &remarks)
        if notes.threads.isEmpty { remarks.add("The core names no thread.") }
        let modules = try readModules(notes, architecture)
        let startedAs = try executableName(notes)
        if source.isExhausted {
            remarks.add("The core was not read to the end: its headers lead to more than 256 MiB of notes and names.")
        }
        let executable =
            modules.first { $0.kind == .executable }?.path ?? startedAs ?? notes.programName
        if executable == nil { remarks.add("The core does not say which program ran.") }
        return Coredump(
            architecture: architecture, executable: executable, startedAs: startedAs, commandLine: notes.commandLine,
            signal: notes.signal, faultAddress: notes.faultAddress,
            processID: notes.processID ?? notes.threads.first?.id, threads: notes.threads, modules: modules,
            truncation: truncation, remarks: remarks.sentences, bytesRead: source.bytesRead)
    }

    private func executableName(_ notes: CoreNotes) throws(ELFError) -> String? {
        guard let address = notes.auxiliary[CoreNotes.AuxiliaryKey.executableName],
            let bytes = try memory.cString(at: address, limit: 4096), !bytes.isEmpty
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What the program headers call for against what is there.
    private mutating func checkSegments() -> CoreTruncation? {
        if file.segmentCount > UInt64(file.segments.count), !file.segmentsAreCut {
            remarks.add("The core has \(file.segmentCount) segments; only the first \(file.segments.count) were read.")
        }
        var expected = file.segmentsEnd
        var furthest: UInt64 = 0
        for segment in file.segments.filter({ $0.fileSize > 0 }).sorted(by: { $0.offset < $1.offset }) {
            guard let end = segment.fileEnd else {
                remarks.add("A segment of the core ends past the largest possible file; it was ignored.")
                continue
            }
            if segment.offset < furthest { remarks.add("Segments of the core overlap in the file.") }
            furthest = max(furthest, end)
        }
        expected = max(expected, furthest)
        guard expected > source.byteCount else { return nil }
        remarks.add(
            "The core is cut off: it has \(source.byteCount) of \(expected) bytes, so parts of memory are missing.")
        return CoreTruncation(expectedBytes: expected, actualBytes: source.byteCount)
    }
}
