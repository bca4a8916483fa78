import CrashModel
import Distributions
import JobMessages
import Logging
import ReposyncStage
import ServiceRuntime
import SystemPackage

/// Where the message of reposync meets its stage.
func syncHandler(repositories: FilePath, catalog: DistributionCatalog, limits: SyncLimits) -> JobHandler<ReposyncJob> {
    // A release has one name in all that is told of it: that of its mirror, `rhel-8` for `rhel-8.4`.
    let release = { @Sendable (job: ReposyncJob) in catalog.listed(job.releaseID) ?? job.releaseID }
    return JobHandler(
        ledger: {
            AttemptLedger(directory: repositories.appending(".attempts"), name: release($0).description)
        },
        release: { release($0) },
        facts: { ["requested_by": $0.requestedBy] },
        isWait: { $0.code == .synchronisationRunning },
        stage: { job, context in
            let report = try await synchronise(
                SyncRequest(releaseID: job.releaseID, packages: job.packages, withClosure: job.withClosure),
                catalog: catalog, repositories: repositories, limits: limits,
                progress: { await context.progress($0.message, fraction: $0.fraction, facts: $0.facts) })
            for remark in report.remarks {
                context.logger.log(level: remark.contains("UNSIGNED") ? .warning : .notice, "\(remark)")
            }
            return .finished(
                "\(report.releaseID) is up to date: \(report.downloadedCount) of \(report.selectedCount) packages were new "
                    + "(\(report.downloadedBytes >> 20) MiB)." + report.remarks.prefix(3).map { " \($0)" }.joined())
        })
}
