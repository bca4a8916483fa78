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
    do throws(PackageIndexError) {
        let mirror = MirrorDirectory(resolution.releaseID, in: indexes.repositories)
        let absent = resolution.packages.filter { !mirror.hasFile(at: $0.location) }
        guard !absent.isEmpty, let index = try indexes.index(of: resolution.releaseID) else { return [] }
        var wanted: [ResolvedPackage] = []
        for package in absent where try index.offer(of: package.sha256) != nil { wanted.append(package) }
        return wanted
    } catch {
        throw StageError(
            .resolve, .indexUnusable, "The package index of \(resolution.releaseID) cannot be used: \(error).",
            disposition: .retry(after: .seconds(60)))
    }
}
