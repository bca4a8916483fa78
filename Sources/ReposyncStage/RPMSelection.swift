import CrashModel
import Dependencies
import Distributions
import Packages
import RPMRepodata

/// The RPMs of a request among all that the repositories offer.
struct RPMSelection: Sendable {
    private(set) var packages: [WantedRPM] = []
    private(set) var remarks: [String] = []
    private var chosen: Set<String> = []

    /// Reads the metadata and chooses. Blocking.
    ///
    /// Of a lazy repository the debuggers are chosen, unless the request names packages.
    ///
    /// - Throws: ``CrashModel/StageError`` with `unknownPackage` or `metadataRefused`.
    init(_ request: SyncRequest, repositories: [RPMRepository], debuggers: [String]) throws {
        let isWhole = request.packages.isEmpty
        if isWhole {
            let full = repositories.map { $0.repository.mode == .lazy ? nil : $0 }
            let unusable = try Self.forEachOffer(request, full) { choose($0, $1) }
            remarks += unusable
            guard repositories.contains(where: { $0.repository.mode == .lazy }) else { return }
        }
        var wanted: Set<String> = []
        var needed: Set<String> = []
        do throws(DependencyError) {
            let solver = try RPMSolver(repositories.map(\.metadata), request.releaseID.architecture)
            if !isWhole {
                let closure = try solver.closure(of: request.packages)
                let named = request.withClosure ? closure : closure.filter { request.packages.contains($0.nevra.name) }
                wanted = Set(named.compactMap { $0.sha256?.lowercased() })
            }
            if isWhole || request.withClosure {
                // The first crash must not wait for its debugger as well.
                for debugger in debuggers {
                    do throws(DependencyError) {
                        needed.formUnion(try solver.closure(of: [debugger]).compactMap { $0.sha256?.lowercased() })
                    } catch {
                        remarks.append("The debugger package '\(debugger)' cannot be mirrored from here: \(error).")
                    }
                }
            }
        } catch .unknownPackage(let name) {
            throw StageError.sync(
                .unknownPackage, "No repository of the release has the package '\(name)'.", advice: "Check the name.")
        } catch .unsolvable(let problems) {
            throw StageError.sync(
                .unknownPackage, "The packages cannot be selected: \(problems.joined(separator: "; ")).")
        } catch {
            throw StageError.sync(.metadataRefused, "The metadata of the repositories cannot be used: \(error).")
        }
        try choose(wanted, withDebuginfo: request.withClosure, and: needed, request, repositories)
    }

    private mutating func choose(
        _ wanted: Set<String>, withDebuginfo: Bool, and needed: Set<String>, _ request: SyncRequest,
        _ repositories: [RPMRepository]
    ) throws {
        guard !wanted.isEmpty || !needed.isEmpty else { return }
        var debugNames: Set<String> = []
        var debuginfo: [(RepodataPackage, Int)] = []
        let unusable = try Self.forEachOffer(request, repositories) { package, number in
            if wanted.contains(package.sha256) {
                choose(package, number)
                // Fedora splits debuginfo by binary package; older releases have one for each source package.
                let source = SourcePackage(rpm: package.sourceRPM)?.name
                for name in [package.nevra.name, source ?? package.nevra.name] {
                    debugNames.insert(Self.key(of: package.nevra, named: "\(name)-debuginfo"))
                    debugNames.insert(Self.key(of: package.nevra, named: "\(name)-debugsource"))
                }
            } else if needed.contains(package.sha256) {
                choose(package, number)
            }
            let kind = PackageKind(packageName: package.nevra.name)
            if withDebuginfo, kind != .binary { debuginfo.append((package, number)) }
        }
        if !request.packages.isEmpty { remarks += unusable }
        for (package, number) in debuginfo
        where debugNames.contains(Self.key(of: package.nevra, named: package.nevra.name)) {
            choose(package, number)
        }
    }

    /// Every package that a machine of the architecture can install, those of 32 bits among them; nil is passed over.
    ///
    /// - Returns: A sentence for each repository that has others, of no use.
    private static func forEachOffer(
        _ request: SyncRequest, _ repositories: [RPMRepository?], _ body: (RepodataPackage, Int) -> Void
    ) throws -> [String] {
        var remarks: [String] = []
        let own = request.releaseID.architecture
        for (number, repository) in repositories.enumerated() {
            guard let repository else { continue }
            do {
                let summary = try readRepodata(primary: repository.metadata.primary, fileLists: nil) { package in
                    let name = package.nevra.architecture
                    let architecture = try? Architecture(name)
                    guard name == "noarch" || architecture == own || (architecture == .i386 && own == .x86_64) else {
                        return
                    }
                    body(package, number)
                }
                if summary.unusableCount > 0 {
                    remarks.append(
                        "\(summary.unusableCount) packages of repository '\(repository.repository.name)' have no usable "
                            + "name, size or SHA-256 and were left out.")
                }
            } catch let error as RepodataError {
                throw StageError.sync(
                    .metadataRefused,
                    "The metadata of repository '\(repository.repository.name)' cannot be used: \(error).")
            }
        }
        return remarks
    }

    private static func key(of nevra: NEVRA, named name: String) -> String {
        "\(name)-\(nevra.versionText).\(nevra.architecture)"
    }

    private mutating func choose(_ offered: RepodataPackage, _ repository: Int) {
        guard offered.byteCount > 0, let location = rpmLocation(of: offered.location, sha256: offered.sha256) else {
            remarks.append("\(offered.nevra) has no usable location, size or SHA-256 and was left out.")
            return
        }
        guard chosen.insert(offered.sha256).inserted else { return }
        packages.append(WantedRPM(offered: offered, repository: repository, location: location))
    }
}

/// Solves with the lists of packages alone, which name the files that packages may depend on; only where that has no
/// solution with all files, which cost seconds and hundreds of megabytes more.
private struct RPMSolver {
    private let metadata: [RPMMetadata]
    private let architecture: Architecture
    private let light: DependencySolver

    init(_ metadata: [RPMMetadata], _ architecture: Architecture) throws(DependencyError) {
        self.metadata = metadata
        self.architecture = architecture
        light = try DependencySolver(
            rpmMetadata: metadata.map { RPMMetadata(primary: $0.primary) }, architecture: architecture)
    }

    func closure(of names: [String]) throws(DependencyError) -> [SolvedPackage] {
        do throws(DependencyError) {
            return try light.closure(of: names)
        } catch .unsolvable {
            return try DependencySolver(rpmMetadata: metadata, architecture: architecture).closure(of: names)
        }
    }
}

/// Where a package of a repository lies in the mirror; nil for one whose path in the repository is of no use.
///
/// The digest keeps apart two builds that call themselves the same.
func rpmLocation(of path: String, sha256: String) -> String? {
    guard isPlainPath(path), path.hasSuffix(".rpm"), let name = path.split(separator: "/").last else { return nil }
    return "pool/\(sha256.prefix(2))/\(sha256.prefix(16))/\(name)"
}
