import Coredumps
package import CrashModel
import ELF
import SystemPackage
package import TaskStorage

/// Reads what is known of a kernel's crash from its unpacked dump: a few pages of it, whatever its size. A flattened dump
/// is then put in order, once.
///
/// It blocks.
///
/// - Parameters:
///   - limits: What must stay free on the disk, and how large a flattened dump may become.
///   - progress: Is told the kernel as soon as it is known.
/// - Throws: ``StageError`` of stage ingest with `not-a-vmcore`, `damaged-vmcore`, `missing-member`, `unpacked-too-large`,
///   `disk-full` or `internal-error`.
package func readKernelCrash(
    in directory: TaskDirectory, limits: IngestLimits, progress: @escaping (IngestProgress) -> Void = { _ in }
) throws(StageError) -> Crash {
    let reported = try readReportedCrash(in: directory)
    var vmcore = try readDump(in: directory)
    progress(.kernel(vmcore.dump))
    var remarks: [String] = []
    let flattened = vmcore.dump
    if flattened.format == .flattened {
        let remark = try rearrange(flattened, in: directory, limits: limits) { progress(.rearranged($0, flattened)) }
        remarks += [remark].compactMap(\.self)
        vmcore = try readDump(in: directory)
    }
    let release = vmcore.dump.release?.description ?? "unknown"
    let path = "/boot/vmlinuz-\(release)"
    return Crash(
        kind: .vmcore, architecture: vmcore.architecture, reported: reported, executable: path, threadCount: 0,
        modules: [LoadedModule(path: path, buildID: vmcore.dump.buildID, start: 0, end: 0, kind: .executable)],
        truncation: vmcore.truncation, remarks: remarks + vmcore.remarks, kernel: vmcore.dump)
}

private func readDump(in directory: TaskDirectory) throws(StageError) -> Vmcore {
    let (file, memory) = try dumpFiles(in: directory)
    do {
        let source = try FileByteSource(directory.dump(at: file))
        let beside = try memory.map { (source: try FileByteSource(directory.dump(at: $0)), name: $0) }
        return try readVmcore(source, file: file, memory: beside.map { ($0.source, $0.name) })
    } catch let error as CoredumpError {
        throw StageError(vmcore: error)
    } catch {
        throw StageError(vmcore: .unreadable("\(error)"))
    }
}

/// The names in `crash/` of the dump and of the memory beside it, or their paths on the server.
private func dumpFiles(in directory: TaskDirectory) throws(StageError) -> (file: String, memory: String?) {
    if let path = ServerLink.dump.path(in: directory.crash) {
        return (path, ServerLink.memory.path(in: directory.crash))
    }
    func isThere(_ member: Member) -> Bool {
        FileKind(of: directory.crash.appending(member.rawValue)) == .regular
    }
    guard let dump = Member.kernelDumps.first(where: isThere) else {
        throw .refused(
            .missingMember, "The archive has no file 'vmcore'.", "Pack the kernel's dump as a file named vmcore.")
    }
    let isSnapshot = Member.snapshots.contains(dump)
    return (dump.rawValue, isSnapshot && isThere(.vmcoreMemory) ? Member.vmcoreMemory.rawValue : nil)
}

extension StageError {
    /// What trouble with a kernel's dump means for the task.
    init(vmcore error: CoredumpError) {
        switch error {
        case .unreadable(let cause):
            self = StageError(
                .ingest, .internalError, "The server could not read the dump of this task.",
                advice: "Try again later; its operator finds the cause in the log.",
                disposition: .retry(after: .seconds(30)), toolOutput: cause)
        case .notACoredump(let sentence): self = .refused(.notAVmcore, sentence)
        case .tooLarge: self = .refused(.unpackedTooLarge, "\(error)")
        case .unknownMachine: self = .refused(.unsupportedArchitecture, "\(error)")
        case .unwritable(let cause):
            self = StageError(
                .ingest, .diskFull, "The server could not write the dump of this task anew.",
                advice: "Try again later, or tell the server's operator.", disposition: .retry(after: .seconds(60)),
                toolOutput: cause)
        case .malformed(let sentence):
            self = .refused(.damagedVmcore, sentence, "Send the dump again from the machine, uncut.")
        }
    }
}
