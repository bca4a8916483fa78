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
    spool: FilePath, catalog: DistributionCatalog, indexes: PackageIndexes, sources: SourceChoice
) -> JobHandler<ResolveJob> {
    JobHandler(
        ledger: { AttemptLedger(directory: TaskDirectory($0.taskID, in: spool).attempts, name: "resolve") },
        cleanUp: { job, _ in
            try await NIOThreadPool.singleton.runIfActive { try TaskDirectory(job.taskID, in: spool).removeDump() }
        },
        stage: { job, context in
            let (resolution, absent) = try await NIOThreadPool.singleton.runIfActive {
                let resolution = try resolve(
                    job.crash, catalog: catalog, indexes: indexes, sources: sources,
                    awaitsIndexes: context.attempt == 1 && !context.isLastAttempt)
                return (resolution, try packagesToFetch(of: resolution, indexes: indexes))
            }
            let build = BuildJob(task: job.taskID, crash: job.crash, resolution: resolution)
            if catalog.kernelSource(of: job.crash, resolution) != nil {
                return .next(
                    FetchJob(before: build), "\(resolution.summary); the plugin's sources of kernels are asked for it",
                    facts: resolution.facts, releaseID: resolution.releaseID)
            }
            guard absent.isEmpty else {
                let count = absent.count == 1 ? "1 of them is" : "\(absent.count) of them are"
                return .next(
                    FetchJob(before: build), "\(resolution.summary); \(count) to be fetched first",
                    facts: resolution.facts, releaseID: resolution.releaseID)
            }
            return .next(build, resolution.summary, facts: resolution.facts, releaseID: resolution.releaseID)
        })
}
