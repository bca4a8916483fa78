import CrashModel
import Dependencies
import Distributions

/// The RPMs of a request among all that the repositories offer.
struct RPMSelection: Sendable {
    private(set) var packages: [WantedRPM] = []
    private(set) var remarks: [String] = []
    private var chosen: Set<String> = []

    /// Reads the metadata and chooses. Blocking.
    ///
    /// - Throws: ``CrashModel/StageError`` with `unknownPackage` or `metadataRefused`.
    init(_ request: SyncRequest, repositories: [RPMRepository], debugger: String) throws {
        do throws(DependencyError) {
            var offered: [(OfferedPackage, Int)] = []
            for (number, repository) in repositories.enumerated() {
                let solver = try DependencySolver(
                    rpmMetadata: [repository.metadata], architecture: request.releaseID.architecture, withMultilib: true
                )
                offered += try solver.offered().map { ($0, number) }
            }
            guard !request.packages.isEmpty else {
                let isLazy = repositories.map { $0.repository.mode == .lazy }
                for (package, number) in offered where !isLazy[number] { choose(package, number) }
                // The first crash must not wait for its debugger as well.
                if isLazy.contains(true) { chooseDebugger(debugger, offered, repositories, request) }
                return
            }
            let solver = try DependencySolver(
                rpmMetadata: repositories.map(\.metadata), architecture: request.releaseID.architecture)
            let closure = try solver.closure(of: request.packages)
            let wanted = request.withClosure ? closure : closure.filter { request.packages.contains($0.nevra.name) }
            chooseAll(of: wanted, offered, withDebuginfo: request.withClosure)
            guard request.withClosure else { return }
            chooseDebugger(debugger, offered, repositories, request)
        } catch .unknownPackage(let name) {
            throw StageError.sync(
                .unknownPackage, "No repository of the release has the package '\(name)'.", advice: "Check the name.")
        } catch .unsolvable(let problems) {
            throw StageError.sync(
                .unknownPackage, "The packages cannot be selected: \(problems.joined(separator: "; ")).")
        } catch {
            throw StageError.sync(.metadataRefused, "The metadata of the repositories cannot be used: \(error).")
        }
    }

    private mutating func chooseDebugger(
        _ debugger: String, _ offered: [(OfferedPackage, Int)], _ repositories: [RPMRepository], _ request: SyncRequest
    ) {
        do throws(DependencyError) {
            let solver = try DependencySolver(
                rpmMetadata: repositories.map(\.metadata), architecture: request.releaseID.architecture)
            chooseAll(of: try solver.closure(of: [debugger]), offered, withDebuginfo: false)
        } catch {
            remarks.append("The debugger package '\(debugger)' cannot be mirrored from here: \(error).")
        }
    }

    private mutating func chooseAll(
        of closure: [SolvedPackage], _ offered: [(OfferedPackage, Int)], withDebuginfo: Bool
    ) {
        let digests = Set(closure.compactMap(\.sha256))
        var debugNames: Set<String> = []
        for (package, number) in offered where package.package.sha256.map(digests.contains) == true {
            choose(package, number)
            // Fedora splits debuginfo by binary package; older releases have one for each source package.
            for name in [package.package.nevra.name, package.sourceName] {
                debugNames.insert(Self.key(of: package.package.nevra, named: "\(name)-debuginfo"))
            }
        }
        guard withDebuginfo else { return }
        for (package, number) in offered
        where debugNames.contains(Self.key(of: package.package.nevra, named: package.package.nevra.name)) {
            choose(package, number)
        }
    }

    private static func key(of nevra: NEVRA, named name: String) -> String {
        "\(name)-\(nevra.versionText).\(nevra.architecture)"
    }

    private mutating func choose(_ offered: OfferedPackage, _ repository: Int) {
        let path = offered.package.location
        guard let sha256 = offered.package.sha256?.lowercased(), offered.byteCount > 0,
            let location = rpmLocation(of: path, sha256: sha256)
        else {
            remarks.append("\(offered.package.nevra) has no usable location, size or SHA-256 and was left out.")
            return
        }
        guard chosen.insert(sha256).inserted else { return }
        packages.append(
            WantedRPM(offered: offered, sha256: sha256, repository: repository, location: location))
    }
}

/// Where a package of a repository lies in the mirror; nil for one whose path in the repository is of no use.
///
/// The digest keeps apart two builds that call themselves the same.
func rpmLocation(of path: String, sha256: String) -> String? {
    guard isPlainPath(path), path.hasSuffix(".rpm"), let name = path.split(separator: "/").last else { return nil }
    return "pool/\(sha256.prefix(2))/\(sha256.prefix(16))/\(name)"
}
