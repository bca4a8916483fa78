import CrashModel
import Packages

extension ModuleRow {
    /// The module's line of the answer: one status, and a reason unless everything was found.
    func resolved(index: PackageIndex, mirror: MirrorFacts) throws(PackageIndexError) -> ResolvedModule {
        let (status, reason) = try verdict(index, mirror)
        return ResolvedModule(
            module: module, status: status,
            binary: binary.map { PackagedFile(nevra: $0.package.nevra, path: $0.path) },
            debuginfo: debuginfo.map { PackagedFile(nevra: $0.package.nevra, path: $0.path) }, reason: reason)
    }

    private func verdict(
        _ index: PackageIndex, _ mirror: MirrorFacts
    ) throws(PackageIndexError) -> (ModuleStatus, String?) {
        if module.kind == .virtual {
            return (.virtual, "It is part of the kernel and comes from no package; its code is in the core.")
        }
        switch (binary, debuginfo) {
        case (.some, .some):
            return doubt.map { (.unverified, $0) } ?? (.complete, nil)
        case (.some(let binary), nil):
            let reason = try debuginfoIsMissing(binary.package, index)
            return doubt.map { (.unverified, "\($0) \(reason)") } ?? (.withoutDebuginfo, reason)
        case (nil, .some(let debuginfo)):
            return (
                .withoutBinary,
                "Its debuginfo is in \(debuginfo.package.nevra), but the package with the file itself is not mirrored."
            )
        case (nil, nil):
            return try nothingFound(index, mirror)
        }
    }

    private func debuginfoIsMissing(
        _ package: IndexedPackage, _ index: PackageIndex
    ) throws(PackageIndexError) -> String {
        let siblings = try index.packages(from: package.source).filter { $0.kind == .debuginfo }
            .map(\.nevra.description).sorted()
        if siblings.isEmpty {
            return "No debuginfo package of \(package.source.name) \(package.source.version) is mirrored here; "
                + "functions that the file exports are named, lines and locals are not."
        }
        return "The mirrored debuginfo of its source (\(siblings.prefix(5).joined(separator: ", "))) does not cover it."
    }

    private func nothingFound(
        _ index: PackageIndex, _ mirror: MirrorFacts
    ) throws(PackageIndexError) -> (ModuleStatus, String?) {
        guard let buildID = module.buildID else {
            return (
                .unidentified,
                "The core has no build-id for this file, and no mirrored package of \(mirror.releaseID) has its path."
            )
        }
        let others = try index.files(at: module.path).filter { $0.kind == .binary }
            .map(\.package.nevra.description).sorted()
        let elsewhere =
            others.isEmpty ? "" : " Other builds of the file are in \(others.prefix(5).joined(separator: ", "))."
        return (
            .unknown,
            "No package of \(mirror.releaseID) that is mirrored here has build-id \(buildID)\(mirror.age).\(elsewhere)"
        )
    }
}
