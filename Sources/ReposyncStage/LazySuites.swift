import Archives
import CrashModel
import Distributions
import Packages

/// Adds the packages of `mirror: lazy` suites to an index, as the signed lists tell of them; each is fetched when the first
/// crash needs it. Blocking.
///
/// A Debian archive tells the build-ids of its packages of debug symbols (`Build-Ids`) and the names of the other packages'
/// files (`Contents`): the resolver finds a program by way of its symbols, or by its path, and the build-id shows after the
/// fetch whether it was the right one.
///
/// - Parameters:
///   - chosen: What the synchronisation mirrors itself.
///   - inventory: What is in the mirror already, with the places that the chosen packages have.
///   - limit: The most that a list of files may have, in bytes.
/// - Throws: ``CrashModel/StageError`` with `metadataRefused`, and what the builder fails with.
func addOffers(
    of suites: [DebianSuite], besides chosen: [ArchivePackage], _ inventory: MirrorInventory,
    limit: Int64, to builder: PackageIndexBuilder
) throws {
    var places = inventory
    let known = Set(chosen.map(\.sha256)).union(inventory.locations.keys)
    let lists = try suites.map { suite throws(StageError) in
        do throws(ArchiveError) {
            return try ContentsList(suite.contents, limit: limit)
        } catch {
            throw StageError.sync(
                .metadataRefused, "A list of files of repository '\(suite.repository.name)' cannot be read: \(error).")
        }
    }
    for (number, suite) in suites.enumerated() where suite.repository.mode == .lazy {
        // Debian's suites of updates have packages that their lists of files lack: the files are those of the release's
        // other versions then. The build-id shows after the fetch whether that was right.
        func paths(_ name: String) -> [String] {
            lists[number].paths[name] ?? lists.lazy.compactMap { $0.paths[name] }.first ?? []
        }
        for list in suite.lists {
            try forEachStanza(in: list) { view, place in
                let package = try ArchivePackage(view, at: place, repository: number)
                guard !known.contains(package.sha256), !package.path.hasSuffix(".udeb") else { return }
                let place = places.place([package]).first?.location ?? package.path
                try builder.add(
                    try IndexedPackage(
                        debianControl: view.text, sha256: package.sha256, location: place,
                        byteCount: package.byteCount),
                    files: debugFiles(view.field("Build-Ids"))
                        + StagedPackage.files(named: paths(package.name)),
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
