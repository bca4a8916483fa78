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
/// the task is removed, and the chroot-builder finds the root of a task that is gone. A kernel's dump that is kept is made
/// smaller when the task has ended.
func retraceHandler(spool: FilePath, store: FilePath, limits: RetraceLimits) -> JobHandler<RetraceJob> {
    JobHandler(
        ledger: { AttemptLedger(directory: TaskDirectory($0.taskID, in: spool).attempts, name: "retrace") },
        cleanUp: { job, _ in
            try await removeWhatEnds(with: TaskDirectory(job.taskID, in: spool), store: store)
        },
        afterwards: { job, context in
            try await makeKeptDumpSmall(job, TaskDirectory(job.taskID, in: spool), limits: limits, context)
        },
        stage: { job, context in
            let directory = TaskDirectory(job.taskID, in: spool)
            if try await isDone(directory) {
                // The earlier attempt may have been cut off here, or the builder may have built the root once more.
                try await removeWhatEnds(with: directory, store: store)
                return .finished("The backtrace is ready.")
            }
            let summary = try await retrace(
                job.crash, job.resolution, in: job.chroot, directory: directory, limits: limits,
                progress: { await context.progress($0) })
            try await removeWhatEnds(with: directory, store: store)
            return .finished(summary.sentence, facts: summary.facts)
        })
}

private func removeWhatEnds(with directory: TaskDirectory, store: FilePath) async throws {
    let isKept = try await onThread {
        try directory.removeDump()
        return directory.keepsDump
    }
    if !isKept { try await removeCrashRoot(of: directory.task, in: store) }
}

/// Whether an earlier attempt wrote the results: the backtrace is the last of them. The dump tells nothing, because one
/// that is kept, or that lies elsewhere on the server, stays.
private func isDone(_ directory: TaskDirectory) async throws -> Bool {
    try await onThread { access(directory.backtrace.string, F_OK) == 0 }
}

/// Takes out of a kernel's dump that is kept what the operator does not want, and keeps equal dumps once. The results are
/// there and told of; nothing that fails here fails the task.
private func makeKeptDumpSmall(
    _ job: RetraceJob, _ directory: TaskDirectory, limits: RetraceLimits, _ context: JobContext
) async throws {
    guard let kernel = job.crash.kernel, try await onThread({ directory.keepsDump }) else { return }
    var lock = try await onThread { try directory.lockKeptDump() }
    while lock == nil {
        // A retracer that lost the broker is at it still, and the job came to this one.
        try await Task.sleep(for: .seconds(1))
        lock = try await onThread { try directory.lockKeptDump() }
    }
    defer { withExtendedLifetime(lock) {} }
    let strip = await stripKeptDump(of: job.crash, in: job.chroot, directory: directory, limits: limits)
    try Task.checkCancellation()
    if strip != .notWanted { await context.progress(strip.description) }
    do {
        let sharings = try await onThread { try directory.shareKeptDump(kernel) }
        let saved = sharings.count { if case .shared(_, let bytes) = $0 { bytes > 0 } else { false } }
        if saved == sharings.count, saved > 0 {
            await context.progress("A dump with the same bytes is kept already, so this one takes no space of its own.")
        } else if saved > 0 {
            await context.progress(
                "Of the dump's \(sharings.count) files one is kept already, so that one takes no space of its own.")
        }
    } catch let error as Errno {
        await context.progress("Dumps with the same bytes could not be looked for: \(error).")
    }
}

/// Does what blocks on a thread that may be kept waiting.
private func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(work)
}
