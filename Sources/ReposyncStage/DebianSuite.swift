import Archives
import CrashModel
import Distributions
import SystemPackage

/// A suite of a Debian archive whose signed table of contents was fetched and believed.
struct DebianSuite: Sendable {
    let repository: Repository
    /// The mirror that gave it first, then the others.
    let mirrors: [MirrorAddress]
    let release: ReleaseFile
    /// The signed text, kept so that an older one is known as a replay.
    let signedText: [UInt8]
    /// What a person should know about it.
    let remark: String?
    /// The lists of packages, plain and verified.
    var lists: [FilePath] = []
    /// The lists of files, verified and compressed as they came; only of a lazy repository.
    var contents: [FilePath] = []
}

/// The rooms on disk of one synchronisation.
struct SyncFolders: Sendable {
    /// Files of this synchronisation only.
    let work: FilePath
    /// What was believed last time: `<repository>.release` and compressed lists.
    let metadata: FilePath

    /// There while a synchronisation is at work; one that begins and finds it knows that the last one died.
    var begun: FilePath { work.appending("begun") }

    /// A little space that is given back when there is no other.
    var reserve: FilePath { work.appending("reserve") }
}

extension Downloader {
    /// Finds the first mirror whose signed table of contents can be believed.
    ///
    /// - Throws: ``CrashModel/StageError`` that names what was wrong at each mirror.
    func openSuite(
        _ repository: Repository, apt: AptSources, folders: SyncFolders
    ) async throws -> DebianSuite {
        let suite = repository.suite ?? ""
        let mirrors = repository.addresses(apt)
        let keyring = folders.work.appending("\(repository.name).gpg")
        try await blocking { try writeKeyring(for: repository, to: keyring) }
        var failures: [(MirrorAddress, any Error)] = []
        for mirror in mirrors {
            do {
                let signed = folders.work.appending("\(repository.name).InRelease")
                let bytes = try await small("dists/\(suite)/InRelease", at: mirror, limit: 16 << 20)
                try await blocking { try writeFile(bytes, to: signed) }
                let text: [UInt8]
                if repository.checksSignatures {
                    text = try await verifiedText(of: signed, keyring: keyring, in: folders.work).get()
                } else {
                    text = bytes
                }
                let accepted = folders.metadata.appending("\(repository.name).release")
                let isLenient = apt.ignoresValidUntil(at: mirror.address)
                let (release, isOver) = try await blocking {
                    try checkedRelease(text, suite: suite, accepted: accepted, mayBeOver: isLenient)
                }
                return DebianSuite(
                    repository: repository, mirrors: [mirror] + mirrors.filter { $0 != mirror }, release: release,
                    signedText: text,
                    remark: isOver
                        ? "Repository '\(repository.name)' is past its Valid-Until; this machine's apt is told not to mind."
                        : nil)
            } catch let failure as MirrorFailure {
                failures.append((mirror, failure))
            }
        }
        guard !mirrors.isEmpty else {
            throw StageError.sync(
                .mirrorsUnreachable, "Repository '\(repository.name)' has no mirror on this machine.",
                advice: "Its plugin names only the host's apt sources, and apt has none for suite \(suite).")
        }
        throw refusal(of: repository, failures)
    }

    private func refusal(of repository: Repository, _ failures: [(MirrorAddress, any Error)]) -> StageError {
        let details = failures.map { "\($0.0): \($0.1)" }.joined(separator: "; ")
        guard failures.contains(where: { ($0.1 as? MirrorFailure)?.kind == .altered }) else {
            return .allMirrorsFailed(
                "the signed index of repository '\(repository.name)'", failures, as: .init(ofRepositoryAfter: failures))
        }
        return .sync(
            .badSignature, "The signed index of repository '\(repository.name)' cannot be trusted (\(details)).",
            advice: "Compare the keys in gpg/ with those that the distribution publishes, and look at the mirror.")
    }

    /// Fetches, verifies and decompresses the lists of packages of a suite.
    func fetchLists(
        of suite: DebianSuite, architecture: Architecture, folders: SyncFolders
    ) async throws -> [FilePath] {
        var lists: [FilePath] = []
        let debian = architecture.debianName
        for component in suite.repository.components {
            for arch in suite.release.separatesAll ? [debian, "all"] : [debian] {
                let plain = "\(component)/binary-\(arch)/Packages"
                let found = ["xz", "gz", "bz2", "zst", ""].map { $0.isEmpty ? plain : "\(plain).\($0)" }
                    .first { suite.release.files[$0] != nil }
                guard let found, let entry = suite.release.files[found] else {
                    throw StageError.sync(
                        .repositoryMissing,
                        "Suite \(suite.repository.suite ?? "") has no list of \(component) packages for \(arch).",
                        advice: "Check the components and architectures in the distribution's plugin.")
                }
                if entry.byteCount == 0 { continue }
                let name = "\(suite.repository.name)_\(found.map { $0 == "/" ? "_" : $0 }.map(String.init).joined())"
                let kept = folders.metadata.appending(name)
                try await fetchList(found, entry, of: suite, to: kept)
                let list = folders.work.appending("\(suite.repository.name)_\(component)_\(arch)_Packages")
                let limit = suite.release.files[plain].map { Int64(clamping: $0.byteCount) } ?? limits.listBytes
                let most = min(limit, limits.listBytes)
                try await blocking { try unpackList(kept, to: list, isPlain: found == plain, limit: most) }
                lists.append(list)
            }
        }
        return lists
    }

    /// Fetches the lists of files of a lazy suite: of its components, or of the suite as a whole, where it has them.
    func fetchContents(
        of suite: DebianSuite, architecture: Architecture, folders: SyncFolders
    ) async throws -> [FilePath] {
        guard suite.repository.mode == .lazy, !suite.repository.isDebug else { return [] }
        var files: [FilePath] = []
        for place in suite.repository.components.map({ "\($0)/" }) {
            files += try await fetchContents(below: place, of: suite, architecture, folders)
        }
        // Older archives and Ubuntu's have one list for the whole suite.
        return files.isEmpty ? try await fetchContents(below: "", of: suite, architecture, folders) : files
    }

    private func fetchContents(
        below place: String, of suite: DebianSuite, _ architecture: Architecture, _ folders: SyncFolders
    ) async throws -> [FilePath] {
        var files: [FilePath] = []
        for arch in [architecture.debianName, "all"] {
            let found = ["xz", "gz", "zst", ""].map { "\(place)Contents-\(arch)" + ($0.isEmpty ? "" : ".\($0)") }
                .first { suite.release.files[$0] != nil }
            guard let found, let entry = suite.release.files[found], entry.byteCount > 0 else { continue }
            let name = "\(suite.repository.name)_\(found.map { $0 == "/" ? "_" : $0 }.map(String.init).joined())"
            let kept = folders.metadata.appending(name)
            try await fetchList(found, entry, of: suite, to: kept)
            files.append(kept)
        }
        return files
    }

    private func fetchList(
        _ path: String, _ entry: (sha256: String, byteCount: UInt64), of suite: DebianSuite, to kept: FilePath
    ) async throws {
        let isThere = try await blocking { try isFile(kept, sha256: entry.sha256, byteCount: entry.byteCount) }
        if isThere { return }
        let base = "dists/\(suite.repository.suite ?? "")"
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        let wanted = WantedFile(
            path: "\(base)/\(path)", sha256: entry.sha256, byteCount: entry.byteCount,
            byHash: suite.release.offersByHash ? "\(base)/\(folder)/by-hash/SHA256/\(entry.sha256)" : nil)
        try await fetch(wanted, of: suite.repository, from: suite.mirrors, to: kept) { _ in }
    }
}

/// Reads a verified `Release` and refuses one that is of another suite, from the future, over, or older than the last.
///
/// - Parameter mayBeOver: Whether one past its `Valid-Until` is taken; it is told apart in the answer.
/// - Throws: ``MirrorFailure``. Blocking.
func checkedRelease(
    _ text: [UInt8], suite: String, accepted: FilePath, mayBeOver: Bool = false,
    now: Int64 = microsecondsNow() / 1_000_000
) throws -> (release: ReleaseFile, isOver: Bool) {
    guard let release = ReleaseFile(String(decoding: text, as: UTF8.self)) else {
        throw MirrorFailure(.altered, "its Release has no usable Date or SHA256 list")
    }
    guard release.suite == suite || release.codename == suite else {
        throw MirrorFailure(
            .altered, "it is signed for suite \(release.codename) (\(release.suite)), not for \(suite)")
    }
    // An hour covers clocks that are somewhat off; more would be a mirror that plays with time.
    guard release.date <= now + 3600 else { throw MirrorFailure(.altered, "its Release is dated in the future") }
    let isOver = release.validUntil.map { $0 < now } ?? false
    if isOver, !mayBeOver {
        throw MirrorFailure(.altered, "its Release is no longer valid: the mirror is out of date")
    }
    let last: [UInt8]
    do { last = try readFile(accepted, limit: 64 << 20) } catch Errno.noSuchFileOrDirectory {
        return (release, isOver)
    }
    if let known = ReleaseFile(String(decoding: last, as: UTF8.self)), release.date < known.date {
        throw MirrorFailure(.altered, "its Release is older than the one that was accepted before: a replay")
    }
    return (release, isOver)
}

/// Decompresses a list into a private file. Blocking.
private func unpackList(_ file: FilePath, to list: FilePath, isPlain: Bool, limit: Int64) throws {
    if isPlain {
        try writeFile(try readFile(file, limit: Int(clamping: limit)), to: list)
        return
    }
    do {
        try decompressFile(file, to: list, limit: limit)
    } catch {
        guard error.code != .noSpace else { throw StageError.mirrorStorage("unpack a list of packages", Errno.noSpace) }
        throw StageError.sync(.metadataRefused, "A list of packages cannot be decompressed: \(error).")
    }
}
