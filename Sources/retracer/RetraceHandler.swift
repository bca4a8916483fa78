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
/// The core and the crash root are gone before the task counts as finished.
func retraceHandler(spool: FilePath, store: FilePath, limits: RetraceLimits) -> JobHandler<RetraceJob> {
    JobHandler(
        ledger: { AttemptLedger(directory: TaskDirectory($0.taskID, in: spool).attempts, name: "retrace") },
        cleanUp: { job, _ in
            try await NIOThreadPool.singleton.runIfActive { try TaskDirectory(job.taskID, in: spool).removeDump() }
            try await removeCrashRoot(of: job.taskID, in: store)
        },
        stage: { job, context in
            let directory = TaskDirectory(job.taskID, in: spool)
            if try await isDone(directory) {
                // The earlier attempt may have been cut off here, or the builder may have built the root once more.
                try await removeCrashRoot(of: job.taskID, in: store)
                return .finished("The backtrace is ready.")
            }
            let summary = try await retrace(
                job.crash, job.resolution, in: job.chroot, directory: directory, limits: limits,
                progress: { await context.progress($0) })
            try await NIOThreadPool.singleton.runIfActive { try directory.removeDump() }
            try await removeCrashRoot(of: job.taskID, in: store)
            let names = "\(summary.symbolisedFrames) of \(summary.frames) frames have names"
            return .finished(
                "\(summary.crashFunction.map { "It crashed in \($0); " } ?? "")\(names).", facts: summary.facts)
        })
}

/// Whether an earlier attempt wrote the results and was cut off before it could say so.
private func isDone(_ directory: TaskDirectory) async throws -> Bool {
    try await NIOThreadPool.singleton.runIfActive {
        access(directory.backtrace.string, F_OK) == 0 && access(directory.coredump.string, F_OK) != 0
    }
}
