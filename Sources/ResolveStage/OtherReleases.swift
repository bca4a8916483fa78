import CrashModel
import Distributions
import Packages

/// Looks for the modules that the release of the crash does not have in the other mirrored releases, by build-id only: a
/// process in a container may have files of its host mapped, and the other way round.
/// The index of another release that cannot be read costs what it might have had, never the crash.
func adoptOthers(
    _ resolution: Resolution, _ crash: Crash, _ catalog: DistributionCatalog, _ mirrors: Mirrors
) -> Resolution {
    var modules = resolution.modules
    var packages = resolution.packages
    var remarks = resolution.remarks
    var unknown = modules.indices.filter { modules[$0].status == .unknown }
    guard !unknown.isEmpty, let own = resolution.releaseID, let mirrored = try? mirrors.releases() else {
        return resolution
    }
    let others = mirrored.filter { $0 != own && runs(crash.architecture, on: $0) }
    for releaseID in others.prefix(mostReleases) where !unknown.isEmpty {
        guard let index = try? mirrors.index(of: releaseID) else { continue }
        let order = catalog.distribution(named: releaseID.release.distribution)?.versionOrder ?? .debian
        var search = ModuleSearch(
            crash.with(modules: unknown.map { modules[$0].module }), index, order, mirror: MirrorFacts(releaseID, nil))
        guard let found = try? search.resolution(evidence: "") else { continue }
        var adopted: [String] = []
        for (position, module) in zip(unknown, found.modules) where module.binary != nil && module.status != .unverified
        {
            modules[position] = module
            adopted.append(printable(module.module.path))
        }
        guard !adopted.isEmpty else { continue }
        unknown.removeAll { modules[$0].status != .unknown }
        let names = Set(modules.flatMap { [$0.binary?.nevra, $0.debuginfo?.nevra] }.compactMap(\.self))
        for package in found.packages where names.contains(package.nevra) || package.role != .binary {
            guard !packages.contains(where: { $0.sha256 == package.sha256 }) else { continue }
            packages.append(
                ResolvedPackage(
                    nevra: package.nevra, sha256: package.sha256, location: package.location, role: package.role,
                    files: package.role == .binary ? files(of: package, in: found) : package.files,
                    releaseID: releaseID))
        }
        let count = adopted.count == 1 ? "One module is" : "\(adopted.count) modules are"
        remarks.append(
            "\(count) of \(releaseID), not of \(own): \(adopted.prefix(5).joined(separator: ", "))"
                + (adopted.count > 5 ? " and others." : "."))
    }
    return Resolution(
        releaseID: own, releaseEvidence: resolution.releaseEvidence, modules: modules,
        packages: packages, remarks: remarks)
}

/// A search in each costs a fraction of a millisecond a module.
private let mostReleases = 64

/// Whether a mirror may have files of a crash on this architecture.
private func runs(_ architecture: Architecture, on releaseID: ReleaseID) -> Bool {
    releaseID.architecture == architecture || (architecture == .i386 && releaseID.architecture == .x86_64)
}

/// Of another release only the loaded files are taken: the rest is in the way of the crash's own.
private func files(of package: ResolvedPackage, in found: Resolution) -> [String] {
    found.modules.compactMap(\.binary).filter { $0.nevra == package.nevra }.map(\.path)
}

extension Crash {
    /// The same crash with these modules, and without the client's word for a package.
    fileprivate func with(modules: [LoadedModule]) -> Crash {
        var reported = reported
        reported.package = nil
        return Crash(
            kind: kind, architecture: architecture, reported: reported, executable: executable,
            threadCount: threadCount,
            modules: modules)
    }
}
