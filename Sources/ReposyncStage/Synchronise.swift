package import CrashModel
package import Distributions
import Packages
package import SystemPackage

/// Mirrors the packages of a release and publishes their index; the last good index stays in service on any failure.
///
/// Nothing that was ever mirrored is removed. Only one synchronisation of a release works at a time, on any number of
/// hosts that share the file system with flock(2).
///
/// - Parameters:
///   - request: The release and the packages.
///   - catalog: The plugins: repositories, mirrors and keys.
///   - repositories: The directory of all mirrors.
///   - apt: What `host-apt-sources` stands for; nil reads the configuration of this machine.
///   - limits: Times and numbers of attempts.
///   - progress: Gets `progress` events, at most two a second.
/// - Throws: ``CrashModel/StageError`` of stage `reposync`; also written to the mirror's `sync.json`.
package func synchronise(
    _ request: SyncRequest, catalog: DistributionCatalog, repositories: FilePath, apt: AptSources? = nil,
    limits: SyncLimits = SyncLimits(), progress: @escaping @Sendable (TaskEvent) async -> Void
) async throws(StageError) -> SyncReport {
    do {
        guard let releaseID = catalog.listed(request.releaseID),
            let distribution = catalog.distribution(named: releaseID.release.distribution)
        else {
            throw StageError.sync(
                .unknownRelease, "No plugin lists the release \(request.releaseID).",
                advice: "Add its version to the distribution's file in plugins/, or write a plugin for it.")
        }
        let request = SyncRequest(
            releaseID: releaseID, packages: request.packages, withClosure: request.withClosure)
        return try await Downloader.with(limits) { downloader in
            let session = SyncSession(
                request: request, distribution: distribution, mirror: MirrorDirectory(releaseID, in: repositories),
                downloader: downloader, progress: SyncProgress(releaseID, send: progress))
            return try await session.run(apt: apt)
        }
    } catch let error as StageError {
        throw error
    } catch is CancellationError {
        throw .sync(
            .interrupted, "The synchronisation was stopped in the middle.",
            advice: "It goes on where it stopped.", retryAfter: .seconds(10))
    } catch {
        throw .mirrorStorage("keep the mirror", error)
    }
}
