import Coredumps
package import CrashModel
import ELF
import SystemPackage
package import TaskStorage

/// Reads what is known of a crash from its unpacked files alone: a few pages of the core, and the small texts beside it.
///
/// It blocks.
///
/// - Throws: ``StageError`` of stage ingest with `not-a-coredump`, `damaged-coredump`, `unsupported-architecture`,
///   `wrong-task-type`, `unknown-executable`, `unreadable-member` or `internal-error`.
package func readCrash(in directory: TaskDirectory) throws(StageError) -> Crash {
    let reported = try readReportedCrash(in: directory)
    let core = try readCore(directory.coredump)
    var remarks = core.remarks
    if let truncation = core.truncation, core.threads.isEmpty, core.modules.isEmpty {
        throw .refused(
            .damagedCoredump,
            "The core is cut off after \(truncation.actualBytes) of \(truncation.expectedBytes) bytes, before its first "
                + "thread and its first module.",
            "Make the core anew, whole: look at the limits of its size (ulimit -c, coredump.conf) and at the disk.")
    }
    let named = [core.executable, reported.executableInItsRoot].compactMap(\.self).first { $0.hasPrefix("/") }
    guard let executable = named else {
        throw .refused(
            .unknownExecutable, "Neither the core nor the file 'executable' says which program crashed.",
            "Write the program's absolute path into the file 'executable'.")
    }
    if let said = reported.executable, let ran = core.executable, !said.hasSuffix(ran) {
        remarks.append(
            "The client says that \(quoted(Array(said.utf8))) crashed, the core says \(quoted(Array(ran.utf8))).")
    }
    return Crash(
        kind: .coredump, architecture: core.architecture, reported: reported, executable: executable,
        commandLine: core.commandLine, signal: core.signal, processID: core.processID,
        threadCount: core.threads.count, modules: core.modules, truncation: core.truncation, remarks: remarks)
}

private func readCore(_ path: FilePath) throws(StageError) -> Coredump {
    let source: FileByteSource
    do throws(ELFError) {
        source = try FileByteSource(path)
    } catch {
        throw StageError(.unreadable("\(error)"))
    }
    let identification: DumpIdentification
    do throws(CoredumpError) {
        identification = try dumpKind(of: source)
    } catch {
        throw StageError(error)
    }
    if case .vmcore = identification { throw .kernelDumpOfProcess() }
    do throws(CoredumpError) {
        return try readCoredump(source)
    } catch {
        throw StageError(error)
    }
}

extension StageError {
    /// What trouble with the core means for the task.
    fileprivate init(_ error: CoredumpError) {
        switch error {
        case .unreadable(let cause), .unwritable(let cause):
            self = StageError(
                .ingest, .internalError, "The server could not read the core of this task.",
                advice: "Try again later; its operator finds the cause in the log.",
                disposition: .retry(after: .seconds(30)), toolOutput: cause)
        case .notACoredump(let sentence): self = .refused(.notACoredump, sentence)
        case .unknownMachine: self = .refused(.unsupportedArchitecture, "\(error)")
        case .tooLarge: self = .refused(.unpackedTooLarge, "\(error)")
        case .malformed(let sentence):
            self = .refused(.damagedCoredump, sentence, "Send the core again from the machine, uncut.")
        }
    }
}
