package import CrashModel
package import Distributions
import Packages
package import SystemPackage

/// What became of the packages that a crash needs and its mirror had only heard of.
package struct FetchReport: Hashable, Sendable {
    /// The packages that are in the mirror now and were not before.
    package var fetched: [NEVRA] = []
    /// Their size, in bytes.
    package var byteCount: UInt64 = 0
    /// A sentence for each package that could not be had.
    package var remarks: [String] = []
    /// Whether a later try may bring what is missing now: no mirror answered.
    package var mayComeLater = false

    package init() {}
}

/// Fetches the packages of a resolution that are mirrored on first need, verifies each as a synchronisation does, and puts
/// them into the pool. What cannot be had is in the report: the crash is then shown without it.
///
/// Several hosts and several tasks may ask for one package at a time; one of them fetches it.
///
/// - Parameters:
///   - resolution: Its packages; those that are in the pool already cost nothing.
///   - catalog: The plugins: mirrors and keys.
///   - repositories: The directory of all mirrors.
///   - apt: What `host-apt-sources` stands for; nil reads the configuration of this machine.
///   - progress: What is being fetched, and how much of it, from 0 to 1.
/// - Throws: ``CrashModel/StageError`` of stage `fetch` when this machine fails, its disk for instance.
package func fetchPackages(
    of resolution: Resolution, catalog: DistributionCatalog, repositories: FilePath, apt: AptSources? = nil,
    limits: SyncLimits = SyncLimits(), progress: @escaping @Sendable (String, Double) async -> Void
) async throws(StageError) -> FetchReport {
    do {
        return try await Downloader.with(limits) { downloader in
            try await FetchSession(resolution, catalog, repositories, apt, downloader).run(progress)
        }
    } catch let error as StageError {
        throw StageError(
            .fetch, error.code, error.reason, advice: error.advice, disposition: error.disposition,
            exitStatus: error.exitStatus, toolOutput: error.toolOutput)
    } catch is CancellationError {
        throw StageError(
            .fetch, .interrupted, "The service was stopped while it fetched packages.",
            disposition: .retry(after: .seconds(5)))
    } catch {
        let stage = StageError.mirrorStorage("take packages", error)
        throw StageError(.fetch, stage.code, stage.reason, advice: stage.advice, disposition: stage.disposition)
    }
}
