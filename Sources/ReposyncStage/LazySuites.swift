import CrashModel
import Distributions
import Packages

/// Adds the packages of `mirror: lazy` suites to an index, as the signed lists tell of them; each is fetched when the first
/// crash needs it. Blocking.
///
/// A Debian archive tells the build-ids of its packages of debug symbols (`Build-Ids`), not those of the programs: the
/// resolver finds a program by way of its symbols.
///
/// - Parameters:
///   - chosen: What the synchronisation mirrors itself.
///   - inventory: What is in the mirror already.
func addOffers(
    of suites: [DebianSuite], besides chosen: [ArchivePackage], _ inventory: MirrorInventory,
    to builder: PackageIndexBuilder
) throws {
    let known = Set(chosen.map(\.sha256)).union(inventory.locations.keys)
    for (number, suite) in suites.enumerated() where suite.repository.mode == .lazy {
        for list in suite.lists {
            try forEachStanza(in: list) { view, place in
                let package = try ArchivePackage(view, at: place, repository: number)
                guard !known.contains(package.sha256), !package.path.hasSuffix(".udeb") else { return }
                try builder.add(
                    try IndexedPackage(
                        debianControl: view.text, sha256: package.sha256, location: inventory.location(for: package),
                        byteCount: package.byteCount),
                    files: debugFiles(view.field("Build-Ids")),
                    offer: PackageOffer(repository: suite.repository.name, path: package.path))
            }
        }
    }
}

/// Where dh_strip(1) puts the debug symbols of these build-ids.
private func debugFiles(_ field: String?) -> [IndexedPath] {
    (field ?? "").split(separator: " ").compactMap { word in
        guard let buildID = try? BuildID(String(word)) else { return nil }
        return IndexedPath(path: buildID.debugPath, kind: .debug, buildID: buildID)
    }
}
