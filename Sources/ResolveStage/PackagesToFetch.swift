package import CrashModel
package import Packages

/// The packages of a resolution that its mirror has only heard of: they must be fetched before a root can be made.
///
/// Blocking; costs one stat(2) a package, and a search in the index for each that is absent.
///
/// - Throws: ``CrashModel/StageError`` with `index-unusable`.
package func packagesToFetch(
    of resolution: Resolution, indexes: PackageIndexes
) throws(StageError) -> [ResolvedPackage] {
    var wanted: [ResolvedPackage] = []
    for (package, releaseID) in resolution.packagesInMirrors {
        let mirror = MirrorDirectory(releaseID, in: indexes.repositories)
        do throws(PackageIndexError) {
            guard !mirror.hasFile(at: package.location), let index = try indexes.index(of: releaseID),
                try index.offer(of: package.sha256) != nil
            else { continue }
        } catch {
            throw .indexUnusable(releaseID, "\(error)")
        }
        wanted.append(package)
    }
    return wanted
}
