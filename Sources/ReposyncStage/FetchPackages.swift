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
    try await fetching(limits) { downloader in
        try await FetchSession(resolution, catalog, repositories, apt, downloader).run(progress)
    }
}

/// Fetches the symbols of a kernel that no mirror has from where its plugin says besides, verifies the package as a
/// synchronisation does, and puts it into the pool and, where the release has one, into the index.
///
/// One source after the other is asked. What cannot be had, or is another kernel's, is in the report; the resolution is then
/// the given one.
///
/// - Parameters:
///   - source: ``Distributions/DistributionCatalog/kernelSource(of:_:)``.
///   - resolution: That of the crash; it has no package.
///   - progress: What is being fetched, and how much of it; always 0, because nobody knows its size.
/// - Returns: The resolution with the package.
/// - Throws: ``CrashModel/StageError`` of stage `fetch` when this machine fails, its disk for instance.
package func fetchKernel(
    from source: KernelSource, for crash: Crash, _ resolution: Resolution, repositories: FilePath,
    limits: SyncLimits = SyncLimits(), progress: @escaping @Sendable (String, Double) async -> Void
) async throws(StageError) -> (resolution: Resolution, report: FetchReport) {
    try await fetching(limits) { downloader in
        try await KernelFetch(source, crash, resolution, repositories, downloader).run(progress)
    }
}

/// Lends a downloader, and puts what fails into the words of this stage.
private func fetching<Value: Sendable>(
    _ limits: SyncLimits, _ work: (Downloader) async throws -> Value
) async throws(StageError) -> Value {
    do {
        return try await Downloader.with(limits) { try await work($0) }
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
