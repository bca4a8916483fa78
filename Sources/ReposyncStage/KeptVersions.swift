import CrashModel
import Distributions
import Packages
import RPMRepodata
import SystemPackage

/// The rule of releases that roll, such as Fedora's rawhide: of each package the newest versions stay, no others.
///
/// Nothing else is ever removed from a mirror.
struct KeptVersions: Sendable {
    let count: Int

    /// nil unless every repository of the release says how many: a package in the pool belongs to no repository any more,
    /// and those of a repository that keeps all must stay.
    init?(_ repositories: [Repository]) {
        let counts = repositories.compactMap(\.keptVersions)
        guard !counts.isEmpty, counts.count == repositories.count, let most = counts.max() else { return nil }
        count = max(most, 1)
    }

    /// A sentence when a repository says how many and another one makes that void.
    static func remark(_ repositories: [Repository]) -> String? {
        guard let keeper = repositories.first(where: { $0.keptVersions != nil }),
            let other = repositories.first(where: { $0.keptVersions == nil })
        else { return nil }
        return "'keep' of repository '\(keeper.name)' has no effect, because repository '\(other.name)' has none: "
            + "every version stays."
    }

    /// Those of the packages that are not of the newest versions of their name and architecture; builds of one version
    /// count as one.
    func outdated<Package>(_ packages: [Package], nevra: (Package) -> NEVRA) -> [Package] {
        let families = Dictionary(grouping: packages) { [nevra($0).name, nevra($0).architecture] }
        return families.values.flatMap { family in
            let versions = Set(family.map(nevra)).sorted { VersionOrder.rpm.isOlder($1, $0) }
            let newest = Set(versions.prefix(count))
            return family.filter { !newest.contains(nevra($0)) }
        }
    }

    /// The outdated packages of a mirror, as its own metadata tells of them. Blocking.
    func outdated(in mirror: MirrorDirectory) throws -> [RepodataPackage] {
        var packages: [RepodataPackage] = []
        try readRepodata(primary: mirror.solvables.appending("primary.xml.gz"), fileLists: nil) { packages.append($0) }
        return outdated(packages) { $0.nevra }
    }
}
