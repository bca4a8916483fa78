import CrashModel
import Dependencies
import Distributions
import Packages
import RPMRepodata
import Synchronization

/// The packages of `mirror: lazy` repositories as their metadata tells of them: the index names them, and each is fetched
/// and verified when the first crash needs it.
final class LazyOffers: Sendable {
    private let repositories: [(repository: RPMRepository, keys: String)]
    private let refused: RefusedPackages
    private let met = Mutex<Set<NEVRA>>([])

    /// The packages that ``add(to:_:)`` met and left out, because they have no good signature.
    var refusals: Set<NEVRA> { met.withLock(\.self) }

    /// - Parameters:
    ///   - opened: All repositories of the release.
    ///   - keys: ``RefusedPackages/keys(of:)`` of each.
    ///   - refused: Packages that are known to have no good signature; they are not offered.
    init(_ opened: [RPMRepository], keys: [String], refused: RefusedPackages) {
        repositories = zip(opened, keys).filter { $0.0.repository.mode == .lazy }.map { (repository: $0.0, keys: $0.1) }
        self.refused = refused
    }

    /// Adds what the builder does not know from the mirrored packages themselves.
    ///
    /// - Throws: ``CrashModel/StageError`` with `metadataRefused`, and what the builder fails with.
    func add(to builder: PackageIndexBuilder, _ downloader: Downloader) async throws {
        for (opened, keys) in repositories {
            let (name, refused) = (opened.repository.name, refused)
            do {
                try await downloader.stage(
                    primary: opened.metadata.primary, fileLists: opened.metadata.fileLists, into: builder
                ) { package in
                    guard !["src", "nosrc"].contains(package.nevra.architecture) else { return nil }
                    guard !refused.contains(package.sha256, keys: keys) else {
                        _ = self.met.withLock { $0.insert(package.nevra) }
                        return nil
                    }
                    guard let location = rpmLocation(of: package.location, sha256: package.sha256)
                    else { return nil }
                    return StagedPackage(
                        IndexedPackage(repodata: package, location: location), names: package.files,
                        offer: PackageOffer(repository: name, path: package.location))
                }
            } catch let error as RepodataError {
                throw StageError.sync(
                    .metadataRefused, "The metadata of repository '\(name)' cannot be used: \(error).")
            }
        }
    }
}
