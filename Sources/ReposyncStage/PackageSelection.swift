import CrashModel
import Dependencies
import Distributions
import Packages
import SystemPackage

/// The packages of a request among all that the suites offer.
struct PackageSelection: Sendable {
    /// Each package file once.
    private(set) var packages: [ArchivePackage] = []
    private(set) var remarks: [String] = []
    private var chosen: Set<String> = []

    /// Reads the lists and chooses. Blocking; takes a second or two for all of Debian.
    ///
    /// Of a lazy suite the debuggers are chosen, and what the first need of it brought to the mirror.
    ///
    /// - Parameter isFetched: Whether a package of a lazy suite is in the mirror.
    /// - Throws: ``CrashModel/StageError`` with `unknownPackage` when a name is in no list or cannot be installed, and
    ///   with `metadataRefused` for a list that no honest archive would have.
    init(
        _ request: SyncRequest, suites: [DebianSuite], distribution: Distribution,
        isFetched: (ArchivePackage) throws -> Bool
    ) throws {
        let architecture = request.releaseID.architecture
        var offered: [ArchivePackage] = []
        for (number, suite) in suites.enumerated() {
            for list in suite.lists {
                try forEachStanza(in: list) { view, place in
                    let package = try ArchivePackage(view, at: place, repository: number)
                    guard [architecture.debianName, "all"].contains(package.architecture) else { return }
                    offered.append(package)
                }
            }
        }
        if request.packages.isEmpty {
            let isLazy = suites.map { $0.repository.mode == .lazy }
            for package in offered where try !isLazy[package.repository] || isFetched(package) { choose(package) }
            if isLazy.contains(true) {
                // The first crash must not wait for its debugger as well.
                try chooseDebuggers(
                    distribution.packagedDebuggers, of: offered, Self.solver(suites.flatMap(\.lists), architecture))
            }
        } else if request.withClosure {
            try chooseClosure(
                request, of: offered, lists: suites.flatMap(\.lists), debuggers: distribution.packagedDebuggers)
        } else {
            for name in request.packages { choose(try Self.newest(name, in: offered, distribution.versionOrder)) }
        }
    }

    private mutating func choose(_ package: ArchivePackage) {
        if chosen.insert(package.sha256).inserted { packages.append(package) }
    }

    private mutating func chooseClosure(
        _ request: SyncRequest, of offered: [ArchivePackage], lists: [FilePath], debuggers: [String]
    ) throws {
        let solver = try Self.solver(lists, request.releaseID.architecture)
        let bySHA256 = Dictionary(offered.map { ($0.sha256, $0) }, uniquingKeysWith: { first, _ in first })
        var keys: Set<String> = []
        var sources: Set<String> = []
        for solved in try Self.closure(of: request.packages, solver) {
            guard let package = solved.sha256.flatMap({ bySHA256[$0.lowercased()] }) else { continue }
            choose(package)
            keys.insert(package.key)
            sources.insert(package.source)
        }
        for package in offered where package.debugs(any: keys, of: sources) { choose(package) }
        chooseDebuggers(debuggers, of: offered, solver)
    }

    private static func solver(_ lists: [FilePath], _ architecture: Architecture) throws -> DependencySolver {
        do {
            return try DependencySolver(debianPackages: lists, architecture: architecture)
        } catch {
            throw StageError.sync(.metadataRefused, "The lists of packages cannot be solved: \(error).")
        }
    }

    private mutating func chooseDebuggers(
        _ debuggers: [String], of offered: [ArchivePackage], _ solver: DependencySolver
    ) {
        let bySHA256 = Dictionary(offered.map { ($0.sha256, $0) }, uniquingKeysWith: { first, _ in first })
        for debugger in debuggers {
            do throws(DependencyError) {
                for solved in try solver.closure(of: [debugger]) {
                    if let package = solved.sha256.flatMap({ bySHA256[$0.lowercased()] }) { choose(package) }
                }
            } catch {
                remarks.append("The debugger package '\(debugger)' cannot be mirrored from here: \(error).")
            }
        }
    }

    /// The closure of all names together, or of each by itself where they exclude one another.
    private static func closure(of names: [String], _ solver: DependencySolver) throws -> [SolvedPackage] {
        do throws(DependencyError) {
            do throws(DependencyError) {
                return try solver.closure(of: names)
            } catch .unsolvable where names.count > 1 {
                var all: [SolvedPackage] = []
                for name in names { all += try solver.closure(of: [name]) }
                return all
            }
        } catch {
            throw StageError.sync(
                .unknownPackage, "The packages cannot be selected: \(error).",
                advice: "Check the names and versions; 'apt-cache policy NAME' on such a machine shows what there is.")
        }
    }

    private static func newest(
        _ wanted: String, in offered: [ArchivePackage], _ order: VersionOrder
    ) throws -> ArchivePackage {
        let found = offered.filter { $0.name == wanted || $0.key == wanted }
        let newest = found.max { left, right in
            guard
                let left = try? NEVRA(name: left.name, debianVersion: left.version, architecture: left.architecture),
                let right = try? NEVRA(name: right.name, debianVersion: right.version, architecture: right.architecture)
            else { return left.version < right.version }
            return order.isOlder(left, right)
        }
        guard let newest else {
            throw StageError.sync(
                .unknownPackage, "No repository of the release has the package '\(wanted.prefix(120))'.",
                advice: "Check the name; a version is written as name=version.")
        }
        return newest
    }
}
