import CrashModel
import Distributions
import JobMessages
import NIOPosix
import Packages
import ResolveStage
import ServiceRuntime
import SystemPackage
import TaskStorage

/// Where the message of the resolver meets its stage, and its answer the message of the chroot-builder.
func resolveHandler(
    spool: FilePath, catalog: DistributionCatalog, indexes: PackageIndexes
) -> JobHandler<ResolveJob> {
    JobHandler(
        ledger: { AttemptLedger(directory: TaskDirectory($0.taskID, in: spool).attempts, name: "resolve") },
        cleanUp: { job, _ in
            try await NIOThreadPool.singleton.runIfActive { try TaskDirectory(job.taskID, in: spool).removeDump() }
        },
        stage: { job, _ in
            let resolution = try await NIOThreadPool.singleton.runIfActive {
                try resolve(job.crash, catalog: catalog, indexes: indexes)
            }
            return .next(
                BuildJob(task: job.taskID, crash: job.crash, resolution: resolution), resolution.summary,
                facts: resolution.facts, releaseID: resolution.releaseID)
        })
}
