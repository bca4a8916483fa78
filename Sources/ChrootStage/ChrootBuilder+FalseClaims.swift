import CrashModel
import Packages
import SystemPackage

extension ChrootBuilder {
    /// The parts and modules after every binary has shown the build-id for which it was chosen.
    ///
    /// Where a package claims another's build-id, the next one that claims it is tried; the package goes unless another
    /// module is really from it.
    ///
    /// - Throws: ``CrashModel/StageError`` when the store or the file system fails.
    func withoutFalseClaims(
        _ given: [RootPart], resolution: Resolution, progress: BuildProgress
    ) async throws(StageError) -> ProvedParts {
        let claims = try await blockingCalls("reading the files of the crash") { () throws(Errno) in
            try FalseClaims(in: given, modules: resolution.modules)
        }
        guard !claims.found.isEmpty || !claims.confirmed.isEmpty else {
            return ProvedParts(parts: given, modules: resolution.modules)
        }
        var proved = ProvedParts(
            parts: given.filter { !claims.liars.contains($0.package) }, modules: resolution.modules)
        for position in claims.confirmed {
            let module = resolution.modules[position]
            let correction = ModuleCorrection(
                position: position, status: .withoutDebuginfo,
                reason: "No debuginfo was found for it; its build-id was compared when the root was made.",
                binary: module.binary)
            proved.corrections.append(correction)
            proved.modules[position] = correction.applied(to: module)
        }
        for claim in claims.found {
            let module = resolution.modules[claim.position].module
            proved.remarks.append(
                resolution.modules[claim.position].status == .unverified
                    ? "\(claim.package) has \(module.path) of another build (it \(claim.contradiction)): it was not used."
                    : "\(claim.package) claims build-id \(module.buildID?.description ?? ""), but its file "
                        + "\(claim.contradiction): it was not used for \(module.path).")
            let other = try await honest(
                module, in: claim.releaseID, besides: claims.liars, progress)
            if let (part, binary) = other {
                if !proved.parts.contains(where: { $0.package == part.package }) { proved.parts.append(part) }
                proved.remarks.append("\(binary.nevra) has it; it was taken instead.")
            }
            let correction = ModuleCorrection(
                position: claim.position, status: other == nil ? .unknown : resolution.modules[claim.position].status,
                reason: other == nil ? "The file in \(claim.package) is of another build." : nil,
                binary: other?.1)
            proved.corrections.append(correction)
            proved.modules[claim.position] = correction.applied(to: resolution.modules[claim.position])
        }
        return proved
    }

    /// Another package of the release whose file has the build-id of the module.
    private func honest(
        _ module: LoadedModule, in releaseID: ReleaseID, besides liars: Set<NEVRA>, _ progress: BuildProgress
    ) async throws(StageError) -> (RootPart, PackagedFile)? {
        guard let buildID = module.buildID else { return nil }
        let indexes = indexes
        let others = try await blocking("looking for other packages") { () throws(BlockingError) in
            // An index that cannot be read costs this module only; the resolver has told of it already.
            ((try? indexes.index(of: releaseID)?.files(with: buildID)) ?? [])
                .filter { [.binary, .buildIDLink].contains($0.kind) && !liars.contains($0.package.nevra) }.prefix(8)
        }
        for file in others {
            let package = file.package
            let answers = try await unpack(
                [
                    WantedPackage(
                        nevra: package.nevra, sha256: package.sha256, location: package.location,
                        mirror: MirrorDirectory(releaseID, in: repositories))
                ], of: "the crash", progress: progress)
            guard case .leased(let lease)? = answers.first else { continue }
            let found = try await blockingCalls("reading a package") { () throws(Errno) in
                try proof(of: file.path, as: buildID, in: DirectoryHandle(lease.tree), at: lease.tree)
            }
            if found == .genuine {
                return (
                    RootPart(package: package.nevra, releaseID: releaseID, lease: lease, files: nil),
                    PackagedFile(nevra: package.nevra, path: file.path)
                )
            }
        }
        return nil
    }
}

/// The parts of a root after their files were looked at.
struct ProvedParts: Sendable {
    var parts: [RootPart]
    var modules: [ResolvedModule]
    var corrections: [ModuleCorrection] = []
    var remarks: [String] = []
}

/// The modules whose package turned out not to have the file with their build-id. Blocking.
private struct FalseClaims: Sendable {
    struct Claim: Sendable {
        /// Among the modules.
        let position: Int
        let package: NEVRA
        let releaseID: ReleaseID
        let contradiction: String
    }

    private(set) var found: [Claim] = []
    /// The modules that were found by their paths only and have the build-id of the core.
    private(set) var confirmed: [Int] = []
    /// The packages from which no module really is.
    private(set) var liars: Set<NEVRA> = []

    init(in parts: [RootPart], modules: [ResolvedModule]) throws(Errno) {
        var trees: [NEVRA: (DirectoryHandle, RootPart)] = [:]
        for part in parts { trees[part.package] = (try DirectoryHandle(part.lease.tree), part) }
        var genuine: Set<NEVRA> = []
        for (position, module) in modules.enumerated() {
            guard let binary = module.binary, module.module.buildID != nil, let (tree, part) = trees[binary.nevra]
            else { continue }
            let proof = try proof(of: binary.path, as: module.module.buildID, in: tree, at: part.lease.tree)
            guard let contradiction = proof.contradiction else {
                genuine.insert(binary.nevra)
                // Where there is debuginfo too, the doubt is about that.
                if proof == .genuine, module.status == .unverified, module.debuginfo == nil {
                    confirmed.append(position)
                }
                continue
            }
            found.append(
                Claim(
                    position: position, package: binary.nevra, releaseID: part.releaseID,
                    contradiction: contradiction))
        }
        liars = Set(found.map(\.package)).subtracting(genuine)
    }
}
