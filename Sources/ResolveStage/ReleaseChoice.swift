import CrashModel
import Distributions
import Packages

/// The release that the crash is looked up in.
struct ReleaseChoice {
    let releaseID: ReleaseID
    /// A sentence.
    let evidence: String
    let index: PackageIndex
}

/// The release by the client's word, else by the modules' package notes, else by who knows the executable.
func chooseRelease(
    of crash: Crash, _ catalog: DistributionCatalog, _ mirrors: Mirrors
) throws(StageError) -> ReleaseChoice {
    if let detected = catalog.detectRelease(crash.reported) {
        return try openIndex(of: detected.release, because: detected.evidence, crash, catalog, mirrors)
    }
    if let (release, evidence) = releaseOfPackageNotes(crash.modules, catalog) {
        return try openIndex(of: release, because: evidence, crash, catalog, mirrors)
    }
    let mirrored = try mirrors.releases()
    if let choice = try releaseOfExecutable(crash, mirrored, mirrors) { return choice }
    let told = crash.reported.osRelease ?? crash.reported.release ?? crash.reported.package
    let known = mirrored.isEmpty ? "none yet" : mirrored.map(\.description).joined(separator: ", ")
    throw StageError(
        .resolve, .unknownRelease,
        (told.map { "No release of a known distribution can be read from '\(printable($0))'" }
            ?? "The upload does not say which release crashed")
            + ", and the executable's build-id does not point to exactly one of the mirrored releases (\(known)).",
        advice: "Upload the file os_release (a copy of /etc/os-release) together with the core. Known distributions: "
            + catalog.distributions.map(\.name).joined(separator: ", ") + ".")
}

private func openIndex(
    of release: Release, because evidence: String, _ crash: Crash, _ catalog: DistributionCatalog, _ mirrors: Mirrors
) throws(StageError) -> ReleaseChoice {
    let asked = ReleaseID(release: release, architecture: crash.architecture)
    let listed = catalog.listed(asked)
    var candidates = [listed, asked].compactMap { $0 }
    // The repositories of 64-bit RPM distributions carry the 32-bit libraries too.
    if crash.architecture == .i386, catalog.distribution(named: release.distribution)?.packageFormat == .rpm {
        candidates += candidates.map { ReleaseID(release: $0.release, architecture: .x86_64) }
    }
    for releaseID in candidates {
        if let index = try mirrors.index(of: releaseID) {
            return ReleaseChoice(releaseID: releaseID, evidence: sentence(evidence), index: index)
        }
    }
    let known = try mirrors.releases().map(\.description).joined(separator: ", ")
    let mirrored = known.isEmpty ? "No release is mirrored yet." : "Mirrored are: \(known)."
    guard let listed else {
        throw StageError(
            .resolve, .unknownRelease,
            "The crash is of \(asked) (\(evidence)), which no plugin of this server lists. \(mirrored)",
            advice: "An operator can add the release to the plugin of \(release.distribution).")
    }
    let failure = mirrors.syncStatus(listed)?.failure.map { " Its last synchronisation failed: \(sentence($0))" } ?? ""
    throw StageError(
        .resolve, .releaseNotMirrored,
        "The crash is of \(listed) (\(evidence)), which has no package index here.\(failure) \(mirrored)",
        advice: "An operator can mirror it with \(syncCommand(listed)); then send the crash again.")
}

/// The release that most of the package notes name (`osCpe`); nil when none names a distribution of the catalogue.
func releaseOfPackageNotes(
    _ modules: [LoadedModule], _ catalog: DistributionCatalog
) -> (release: Release, evidence: String)? {
    let named = modules.compactMap { $0.packageNote?.osCPE }.compactMap { release(ofCPE: $0, catalog) }
    let counts = Dictionary(named.map { ($0, 1) }, uniquingKeysWith: +)
    let best = counts.max { ($0.value, $1.key.description) < ($1.value, $0.key.description) }
    guard let best else { return nil }
    return (best.key, "no release was sent, but the package notes of \(best.value) modules name \(best.key)")
}

/// Reads `cpe:/o:fedoraproject:fedora:40` and `cpe:2.3:o:debian:debian_linux:12:…` (NIST IR 7695).
private func release(ofCPE cpe: String, _ catalog: DistributionCatalog) -> Release? {
    let parts = cpe.split(separator: ":", omittingEmptySubsequences: false)
    guard let system = parts.firstIndex(where: { $0 == "o" || $0 == "/o" }), parts.count > system + 3 else {
        return nil
    }
    let product = parts[system + 2]
    let name = product == "enterprise_linux" ? "rhel" : product.hasSuffix("_linux") ? product.dropLast(6) : product
    guard catalog.distribution(named: String(name)) != nil else { return nil }
    return try? Release(distribution: name, version: parts[system + 3])
}

/// The one mirrored release of the architecture whose packages have the executable; nil for none, and for several.
private func releaseOfExecutable(
    _ crash: Crash, _ mirrored: [ReleaseID], _ mirrors: Mirrors
) throws(StageError) -> ReleaseChoice? {
    guard let buildID = crash.modules.first(where: { $0.kind == .executable })?.buildID else { return nil }
    var knowing: [(ReleaseID, PackageIndex)] = []
    for releaseID in mirrored where releaseID.architecture == crash.architecture {
        guard let index = try mirrors.index(of: releaseID) else { continue }
        do throws(PackageIndexError) {
            if try !index.files(with: buildID).isEmpty { knowing.append((releaseID, index)) }
        } catch {
            throw .indexUnusable(releaseID, "\(error)")
        }
    }
    guard knowing.count == 1, let (releaseID, index) = knowing.first else { return nil }
    return ReleaseChoice(
        releaseID: releaseID,
        evidence: "No release was sent; \(releaseID) is the only mirrored one that has the executable's build-id.",
        index: index)
}
