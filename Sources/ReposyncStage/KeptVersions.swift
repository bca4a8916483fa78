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

    /// Those of the packages that are not among the newest of their name and architecture.
    func outdated<Package>(_ packages: [Package], nevra: (Package) -> NEVRA) -> [Package] {
        let families = Dictionary(grouping: packages) { [nevra($0).name, nevra($0).architecture] }
        return families.values.flatMap { family in
            family.sorted { VersionOrder.rpm.isOlder(nevra($1), nevra($0)) }.dropFirst(count)
        }
    }

    /// The outdated packages of a mirror, as its own metadata tells of them. Blocking.
    func outdated(in mirror: MirrorDirectory) throws -> [RepodataPackage] {
        var packages: [RepodataPackage] = []
        try readRepodata(primary: mirror.solvables.appending("primary.xml.gz"), fileLists: nil) { packages.append($0) }
        return outdated(packages) { $0.nevra }
    }
}
