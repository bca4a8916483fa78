import CrashModel
import Distributions
import Packages

/// The search for a kernel in all mirrored releases of its architecture.
///
/// A release whose index cannot be used costs what it might have had, and is told of; the others are asked all the same.
struct KernelSearches {
    private var searches: [KernelSearch] = []
    /// What is the matter with indexes that cannot be used.
    private(set) var troubles: [StageError] = []

    /// - Parameter releases: The likely one first.
    init(
        _ releases: [ReleaseID], of dump: KernelDump, _ architecture: Architecture, _ catalog: DistributionCatalog,
        _ mirrors: Mirrors
    ) {
        for releaseID in releases {
            do throws(StageError) {
                guard let index = try mirrors.index(of: releaseID) else { continue }
                let distribution = catalog.distribution(named: releaseID.release.distribution)
                searches.append(
                    KernelSearch(
                        dump: dump, architecture: architecture, releaseID: releaseID, index: index,
                        packaging: distribution?.kernel, order: distribution?.versionOrder ?? .debian))
            } catch {
                troubles.append(error)
            }
        }
    }

    /// By build-id in whatever release has it; only when none has, by name.
    mutating func symbols() -> KernelSymbols? {
        first { search throws(PackageIndexError) in try search.byBuildID() }
            ?? first { search throws(PackageIndexError) in try search.byName() }
    }

    /// The packages with a kernel of that release but another build.
    mutating func otherBuilds() -> [String] {
        var names: [String] = []
        _ = first { search throws(PackageIndexError) -> KernelSymbols? in
            names += try search.otherBuilds()
            return nil
        }
        return names
    }

    /// ``troubles`` for the person who reads a result that could be better.
    var remarks: [String] {
        troubles.map { "That very build may be in a release that could not be searched. \($0.reason)" }
    }

    private mutating func first(
        _ look: (KernelSearch) throws(PackageIndexError) -> KernelSymbols?
    ) -> KernelSymbols? {
        var usable: [KernelSearch] = []
        defer { searches = usable }
        var found: KernelSymbols?
        for search in searches {
            do throws(PackageIndexError) {
                if found == nil { found = try look(search) }
                usable.append(search)
            } catch {
                troubles.append(.indexUnusable(search.releaseID, "\(error)"))
            }
        }
        return found
    }
}
