package import CrashModel
package import Distributions
package import Packages

/// Finds the packages of a crash, module by module, in the index of its release.
///
/// What cannot be found is part of the answer, with the reason; only a crash whose release is unknown or not mirrored
/// has none. A kernel's dump has one always: its log needs no packages. Blocking, a few milliseconds: call it on a thread pool.
///
/// - Parameters:
///   - catalog: The distributions that the server knows.
///   - indexes: The indexes of the releases that it mirrors.
///   - sources: Whose source code comes too.
///   - awaitsIndexes: Whether a kernel that is not found is worth another attempt where an index cannot be used; otherwise
///     that is a remark.
/// - Throws: ``CrashModel/StageError`` with `unknown-release`, `release-not-mirrored` or `index-unusable`.
package func resolve(
    _ crash: Crash, catalog: DistributionCatalog, indexes: PackageIndexes, sources: SourceChoice = .none,
    awaitsIndexes: Bool = true
) throws(StageError) -> Resolution {
    try resolve(
        crash, catalog: catalog, index: { try indexes.index(of: $0) },
        mirroredReleases: { try indexes.mirroredReleases() },
        syncStatus: { SyncStatus(of: MirrorDirectory($0, in: indexes.repositories)) }, sources: sources,
        awaitsIndexes: awaitsIndexes)
}

/// As the other `resolve`, with closures for what it looks up.
///
/// - Parameters:
///   - index: The index of a release; nil when it is not mirrored.
///   - mirroredReleases: All releases that have an index; asked only when the upload does not tell the release.
///   - syncStatus: How the last synchronisation of a release went; nil when there was none.
package func resolve(
    _ crash: Crash, catalog: DistributionCatalog, index: @escaping (ReleaseID) throws -> PackageIndex?,
    mirroredReleases: @escaping () throws -> [ReleaseID] = { [] },
    syncStatus: @escaping (ReleaseID) -> SyncStatus? = { _ in nil }, sources: SourceChoice = .none,
    awaitsIndexes: Bool = true
) throws(StageError) -> Resolution {
    let mirrors = Mirrors(index: index, mirroredReleases: mirroredReleases, syncStatus: syncStatus)
    if let dump = crash.kernel {
        return try resolveKernel(crash, dump, catalog, mirrors, awaitsIndexes: awaitsIndexes)
    }
    let chosen = try chooseRelease(of: crash, catalog, mirrors)
    let order = catalog.distribution(named: chosen.releaseID.release.distribution)?.versionOrder ?? .debian
    do throws(PackageIndexError) {
        var search = ModuleSearch(
            crash, chosen.index, order, mirror: MirrorFacts(chosen.releaseID, syncStatus(chosen.releaseID)),
            sources: sources)
        let found = try search.resolution(evidence: chosen.evidence)
        return adoptOthers(found, crash, catalog, mirrors)
    } catch {
        throw .indexUnusable(chosen.releaseID, "\(error)")
    }
}
