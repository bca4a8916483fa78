import CrashModel
import GatewayAPI
import Packages

/// What the mirrors say of themselves, by `sync.json` and the index of each. Blocking.
///
/// - Throws: `Errno` when the directory of all mirrors cannot be read.
func mirroredReleases(_ indexes: PackageIndexes) throws -> [MirroredRelease] {
    let served = Set(try indexes.mirroredReleases())
    return try indexes.begunReleases().map { releaseID in
        let status = SyncStatus(of: MirrorDirectory(releaseID, in: indexes.repositories))
        return MirroredRelease(
            releaseID: releaseID, isServed: served.contains(releaseID), packageCount: status?.packageCount ?? 0,
            byteCount: status?.byteCount ?? 0, lastSuccessAt: status?.lastSuccessAt, finishedAt: status?.finishedAt,
            failure: status?.failure, remarks: status?.remarks ?? [])
    }
}
