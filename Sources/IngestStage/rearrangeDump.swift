import Archives
import Coredumps
import CrashModel
import ELF
import Glibc
import SystemPackage
import TaskStorage

/// Writes a flattened dump anew in its own order, and then puts it in the place of the flattened one. Blocking.
///
/// - Parameter progress: Is told about every 16 MiB how many bytes of the flattened dump are in their places.
/// - Returns: What is missing of it, as a sentence.
/// - Throws: ``StageError`` with `unpacked-too-large`, `damaged-vmcore`, `disk-full` or `internal-error`; nothing of what was
///   written stays then.
func rearrange(
    _ dump: KernelDump, in directory: TaskDirectory, limits: IngestLimits, progress: (Int64) -> Void
) throws(StageError) -> String? {
    let crash = try answering { () throws(ArchiveError) in try DirectoryDescriptor(opening: directory.crash) }
    let name = "vmcore.rearranged"
    try answering { () throws(ArchiveError) in _ = try crash.remove(name) }
    guard let output = try answering({ () throws(ArchiveError) in try crash.createFile(name, mode: 0o600) }) else {
        throw StageError(ArchiveError(.system, "\(name) is there already"))
    }
    defer { close(output.rawValue) }
    do throws(StageError) {
        let outcome = try write(directory.vmcore(dump), into: output, in: crash, limits: limits, progress)
        try answering { () throws(ArchiveError) in
            try crash.rename(name, to: Member.vmcore.rawValue)
            // The dump is in the task from now on.
            _ = try crash.remove(ServerLink.dump.rawValue)
            _ = try crash.remove(TaskDirectory.linkedDumpMark)
        }
        return outcome.remark
    } catch {
        // The failure is the news; the next attempt removes it, too.
        _ = try? crash.remove(name)
        throw error
    }
}

private func write(
    _ flattened: FilePath, into output: FileDescriptor, in crash: DirectoryDescriptor, limits: IngestLimits,
    _ progress: (Int64) -> Void
) throws(StageError) -> FlattenedOutcome {
    func hasRoom(for bytes: Int64) throws(StageError) -> Bool {
        let free = try answering { () throws(ArchiveError) in try crash.freeBytes() }
        return free - bytes >= limits.minFreeBytes
    }
    let source: FileByteSource
    do throws(ELFError) {
        source = try FileByteSource(flattened)
    } catch {
        throw StageError(vmcore: .unreadable("\(error)"))
    }
    guard try hasRoom(for: Int64(clamping: source.byteCount)) else { throw .noSpaceLeft() }
    var (looks, told): (Int, UInt64) = (0, 0)
    var trouble: StageError?
    let outcome: FlattenedOutcome
    do throws(CoredumpError) {
        outcome = try rearrangeFlattened(
            source, into: output, limit: UInt64(clamping: limits.maxKernelDumpBytes)
        ) { bytes in
            looks += 1
            // Blocks of one byte take a page of the disk each, which the size of the source does not tell.
            if looks % 64 == 0 {
                do throws(StageError) {
                    guard try hasRoom(for: 0) else { throw .noSpaceLeft() }
                } catch {
                    trouble = error
                    return false
                }
            }
            if bytes - told >= 16 << 20 {
                told = bytes
                progress(Int64(clamping: bytes))
            }
            return true
        }
    } catch {
        if case .tooLarge = error { throw .tooLarge(.vmcore, limits: limits) }
        throw StageError(vmcore: error)
    }
    if let trouble { throw trouble }
    return outcome
}
