import CrashModel
import Distributions
import Packages

/// Finds the package with the symbols of a crashed kernel.
///
/// A kernel that no mirror has is an answer: its log can be read without symbols. All releases of the architecture are
/// asked, the likely one first, because a dump need not say of which distribution it is.
///
/// - Parameter awaitsIndexes: Whether a kernel that is not found is worth another attempt where an index cannot be used;
///   otherwise that is a remark.
/// - Throws: ``CrashModel/StageError`` with `index-unusable`.
func resolveKernel(
    _ crash: Crash, _ dump: KernelDump, _ catalog: DistributionCatalog, _ mirrors: Mirrors, awaitsIndexes: Bool
) throws(StageError) -> Resolution {
    let detected = detectKernelRelease(crash, dump, catalog)
    let likely = detected.flatMap { catalog.listed(ReleaseID(release: $0.release, architecture: crash.architecture)) }
    let mirrored = try mirrors.releases().filter { $0.architecture == crash.architecture }
    var searches = KernelSearches(
        mirrored.sorted { $0 == likely && $1 != likely }, of: dump, crash.architecture, catalog, mirrors)
    if let symbols = searches.symbols() {
        return resolution(
            of: crash, symbols, detected: detected,
            MirrorFacts(symbols.releaseID, mirrors.syncStatus(symbols.releaseID)),
            symbols.doubt == nil ? [] : searches.remarks)
    }
    if awaitsIndexes, let trouble = searches.troubles.first { throw trouble }
    let others = searches.otherBuilds()
    let releaseID = likely ?? mirrored.first(where: { readsKernels($0, catalog) }) ?? anyRelease(crash, catalog)
    let evidence: String
    switch (releaseID, likely) {
    case (nil, _):
        evidence =
            "No plugin of this server has kernels of \(crash.architecture). Known distributions: "
            + catalog.distributions.map(\.name).joined(separator: ", ") + "."
    case (let releaseID?, nil) where detected != nil:
        evidence =
            (detected.map { sentence($0.evidence) } ?? "")
            + " No plugin of this server lists \(detected.map { "\($0.release)" } ?? ""); "
            + "the debugger of \(releaseID) reads the dump."
    case (let releaseID?, nil):
        evidence = "Nothing in the dump says of which release it is; the debugger of \(releaseID) reads it."
    case (_, _?): evidence = detected.map { sentence($0.evidence) } ?? ""
    }
    return unknownKernel(
        crash, dump, releaseID: releaseID, evidence: evidence, mirrored: mirrored, others: others,
        remarks: searches.remarks, age: releaseID.map { MirrorFacts($0, mirrors.syncStatus($0)).age } ?? "")
}

/// By the client's word, else by what the kernel's own release looks like: `.fc40`, `.el9`.
private func detectKernelRelease(
    _ crash: Crash, _ dump: KernelDump, _ catalog: DistributionCatalog
) -> DetectedRelease? {
    var reported = crash.reported
    if reported.package == nil { reported.package = dump.release.map { "kernel-\($0)" } }
    return catalog.detectRelease(reported)
}

private func readsKernels(_ releaseID: ReleaseID, _ catalog: DistributionCatalog) -> Bool {
    catalog.distribution(named: releaseID.release.distribution)?.kernelDebugger != nil
}

/// A release whose plugin names a debugger for kernels, so that at least the log is read.
private func anyRelease(_ crash: Crash, _ catalog: DistributionCatalog) -> ReleaseID? {
    for distribution in catalog.distributions
    where distribution.isEnabled && distribution.kernelDebugger != nil
        && distribution.architectures.contains(crash.architecture)
    {
        guard let version = distribution.versions.last?.version,
            let release = try? Release(distribution: distribution.name, version: version)
        else { continue }
        return ReleaseID(release: release, architecture: crash.architecture)
    }
    return nil
}

private func resolution(
    of crash: Crash, _ symbols: KernelSymbols, detected: DetectedRelease?, _ mirror: MirrorFacts, _ remarks: [String]
) -> Resolution {
    let package = symbols.vmlinux.package
    let file = PackagedFile(nevra: package.nevra, path: symbols.vmlinux.path)
    let byName = "The kernel is one of \(symbols.releaseID): \(package.nevra) has its vmlinux."
    return Resolution(
        releaseID: symbols.releaseID,
        releaseEvidence: detected.map {
            $0.release == symbols.releaseID.release ? sentence($0.evidence) : byName
        } ?? byName,
        modules: crash.modules.map { module in
            ResolvedModule(
                module: module, status: symbols.doubt == nil ? .complete : .unverified, debuginfo: file,
                reason: symbols.doubt)
        },
        packages: [
            ResolvedPackage(
                nevra: package.nevra, sha256: package.sha256, location: package.location, role: .debuginfo,
                files: [symbols.vmlinux.path] + [symbols.modules].compactMap(\.self) + symbols.otherPlaces)
        ],
        remarks: [mirror.remark].compactMap(\.self) + remarks)
}

private func unknownKernel(
    _ crash: Crash, _ dump: KernelDump, releaseID: ReleaseID?, evidence: String, mirrored: [ReleaseID],
    others: [String], remarks: [String], age: String
) -> Resolution {
    let name = dump.release.map { "kernel \($0)" } ?? "this kernel, whose release the dump does not tell"
    let known = mirrored.isEmpty ? "none" : mirrored.map(\.description).joined(separator: ", ")
    let builds =
        others.isEmpty
        ? "" : " Kernels of that name but another build are in \(others.prefix(5).joined(separator: ", "))."
    let reason =
        "No mirrored package has the symbols of \(name)"
        + (dump.buildID.map { " with build-id \($0)" } ?? "") + " (mirrored are: \(known)\(age)).\(builds)"
    return Resolution(
        releaseID: releaseID, releaseEvidence: evidence,
        modules: crash.modules.map { ResolvedModule(module: $0, status: .unknown, reason: reason) }, packages: [],
        remarks: remarks)
}
