import ChrootStage
import CrashModel
import Glibc
import JobMessages
import NIOPosix
import RetraceStage
import ServiceRuntime
import SystemPackage
import TaskStorage

/// Where the message of the retracer meets its stage; the task ends here.
///
/// The core and the crash root are gone before the task counts as finished, unless the task is kept: then both stay until
/// the task is removed, and the chroot-builder finds the root of a task that is gone.
func retraceHandler(spool: FilePath, store: FilePath, limits: RetraceLimits) -> JobHandler<RetraceJob> {
    JobHandler(
        ledger: { AttemptLedger(directory: TaskDirectory($0.taskID, in: spool).attempts, name: "retrace") },
        cleanUp: { job, _ in
            try await removeWhatEnds(with: TaskDirectory(job.taskID, in: spool), store: store)
        },
        stage: { job, context in
            let directory = TaskDirectory(job.taskID, in: spool)
            if try await isDone(directory, job.crash) {
                // The earlier attempt may have been cut off here, or the builder may have built the root once more.
                try await removeCrashRoot(of: job.taskID, in: store)
                return .finished("The backtrace is ready.")
            }
            let summary = try await retrace(
                job.crash, job.resolution, in: job.chroot, directory: directory, limits: limits,
                progress: { await context.progress($0) })
            try await keepDumpSmall(job, directory, limits: limits, context)
            try await removeWhatEnds(with: directory, store: store)
            return .finished(summary.sentence, facts: summary.facts)
        })
}

private func removeWhatEnds(with directory: TaskDirectory, store: FilePath) async throws {
    let isKept = try await NIOThreadPool.singleton.runIfActive {
        try directory.removeDump()
        return directory.keepsDump
    }
    if !isKept { try await removeCrashRoot(of: directory.task, in: store) }
}

/// Takes out of a kernel's dump that is kept what the operator does not want, and keeps equal dumps once. The results are
/// there; nothing that fails here fails the task.
private func keepDumpSmall(
    _ job: RetraceJob, _ directory: TaskDirectory, limits: RetraceLimits, _ context: JobContext
) async throws {
    guard let kernel = job.crash.kernel,
        try await NIOThreadPool.singleton.runIfActive({ directory.keepsDump })
    else { return }
    let strip = await stripKeptDump(of: job.crash, in: job.chroot, directory: directory, limits: limits)
    if strip != .notWanted { await context.progress(strip.description) }
    do {
        let sharing = try await NIOThreadPool.singleton.runIfActive { try directory.shareKeptDump(kernel) }
        if case .shared(_, let saved) = sharing, saved > 0 {
            await context.progress("A dump with the same bytes is kept already, so this one takes no space of its own.")
        }
    } catch {
        await context.progress("Dumps with the same bytes could not be looked for: \(error).")
    }
}

/// Whether an earlier attempt wrote the results and was cut off before it could say so.
private func isDone(_ directory: TaskDirectory, _ crash: Crash) async throws -> Bool {
    try await NIOThreadPool.singleton.runIfActive {
        let dump = crash.kernel.map(directory.vmcore) ?? directory.coredump
        return access(directory.backtrace.string, F_OK) == 0 && access(dump.string, F_OK) != 0
    }
}
