import CrashModel
import Distributions
import GatewayAPI
import Packages

/// Whether a mirror has a package. Blocking.
///
/// A release whose last synchronisation failed may lack what its repositories have, so its packages are never called
/// unknown: the crash then says itself what could not be found. The mirror of a machine of 64 bits has the packages of 32.
///
/// - Throws: `Errno` and ``Packages/PackageIndexError`` when the mirrors cannot be read.
func isKnown(_ question: PackageQuestion, to indexes: PackageIndexes, _ catalog: DistributionCatalog) throws -> Bool {
    var releases = try indexes.mirroredReleases()
    if let text = question.releaseID {
        guard let listed = (try? ReleaseID(text)) ?? catalog.listed(clientReleaseID: text) else { return false }
        let release = catalog.listed(listed) ?? listed
        let wanted = [release] + (release.architecture == .i386 ? [release.on(.x86_64)] : [])
        releases = releases.filter(wanted.contains)
    }
    for release in releases {
        let status = SyncStatus(of: MirrorDirectory(release, in: indexes.repositories))
        if status?.failure != nil, question.releaseID != nil { return true }
        guard let index = try indexes.index(of: release) else { continue }
        for name in question.names {
            if try index.packages(named: name).contains(where: { question.isAbout($0.nevra) }) { return true }
        }
    }
    return false
}

extension ReleaseID {
    fileprivate func on(_ architecture: Architecture) -> ReleaseID {
        ReleaseID(release: release, architecture: architecture)
    }
}
