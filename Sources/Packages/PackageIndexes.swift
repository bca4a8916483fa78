package import CrashModel
import Synchronization
package import SystemPackage

/// The package indexes of all mirrored releases, opened on demand and again after each synchronisation.
package final class PackageIndexes: Sendable {
    package let repositories: FilePath
    private let open = Mutex<[ReleaseID: PackageIndex]>([:])

    /// - Parameter repositories: The directory of all mirrors.
    package init(repositories: FilePath) { self.repositories = repositories }

    /// The newest published index of `releaseID`; nil when that release is not mirrored. Blocking.
    ///
    /// Costs one stat(2) while the file is the same.
    package func index(of releaseID: ReleaseID) throws(PackageIndexError) -> PackageIndex? {
        let mirror = MirrorDirectory(releaseID, in: repositories)
        guard let identity = FileIdentity(of: mirror.index) else {
            open.withLock { $0[releaseID] = nil }
            return nil
        }
        if let known = open.withLock({ $0[releaseID] }), known.identity == identity { return known }
        let fresh = try PackageIndex(opening: mirror.index, identity: identity, releaseID: releaseID)
        open.withLock { $0[releaseID] = fresh }
        return fresh
    }

    /// The releases for which there is an index, by name. Blocking.
    ///
    /// - Throws: `Errno` when the directory of all mirrors cannot be read; one that does not exist has no releases.
    package func mirroredReleases() throws(Errno) -> [ReleaseID] {
        try begunReleases().filter { FileIdentity(of: MirrorDirectory($0, in: repositories).index) != nil }
    }

    /// The releases whose mirroring was begun at least, by name. Blocking.
    ///
    /// - Throws: `Errno` as ``mirroredReleases()`` does.
    package func begunReleases() throws(Errno) -> [ReleaseID] {
        try namesInDirectory(repositories).compactMap { try? ReleaseID($0) }.sorted { $0.description < $1.description }
    }
}
