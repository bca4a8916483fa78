import CrashModel
import Distributions
import JobMessages
import Logging
import ReposyncStage
import ServiceRuntime
import SystemPackage

/// Where the message of the resolver that asks for packages meets its stage; the build that it carries follows in any case.
///
/// - Parameter attempts: How often a job is tried; at the last one what could not be had is left out.
func fetchHandler(
    repositories: FilePath, catalog: DistributionCatalog, limits: SyncLimits, attempts: Int
) -> JobHandler<FetchJob> {
    JobHandler(
        ledger: {
            AttemptLedger(directory: repositories.appending(".attempts"), name: "fetch-\($0.build.taskID)")
        },
        stage: { job, context in
            var given = job.build.resolution
            var report = FetchReport()
            do {
                if let source = catalog.kernelSource(of: job.build.crash, given) {
                    (given, report) = try await fetchKernel(
                        from: source, for: job.build.crash, given, repositories: repositories, limits: limits,
                        progress: { message, _ in await context.progress(message) })
                } else {
                    report = try await fetchPackages(
                        of: given, catalog: catalog, repositories: repositories, limits: limits,
                        progress: { await context.progress($0, fraction: $1) })
                }
            } catch let error as StageError {
                guard error.code != .interrupted, context.attempt >= attempts else { throw error }
                context.logger.error("the packages of the crash cannot be fetched: \(error)")
                report.remarks = ["Packages of the crash could not be fetched: \(error.reason)"]
            }
            for remark in report.remarks { context.logger.warning("\(remark)") }
            // A mirror that does not answer now may in a moment; nobody should wait for long, though.
            if report.mayComeLater, context.attempt < min(attempts, 2) {
                throw StageError(
                    .fetch, StageError.Code("mirrors-unreachable"), report.remarks.joined(separator: " "),
                    disposition: .retry(after: .seconds(10)))
            }
            let resolution = given.adding(remarks: report.remarks)
            let count = report.fetched.count
            return .next(
                BuildJob(task: job.build.taskID, crash: job.build.crash, resolution: resolution),
                "fetched \(count) \(count == 1 ? "package" : "packages") (\(report.byteCount >> 20) MiB)"
                    + (report.remarks.isEmpty ? "" : "; \(report.remarks.count) could not be had"))
        })
}
