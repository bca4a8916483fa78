import CrashModel
import Crypto
import Dependencies
import Distributions
import Glibc
import Packages
import RPMRepodata
import Sandbox
import SystemPackage

/// An RPM repository whose metadata was fetched; nothing in it is believed before a package's own signature was checked.
struct RPMRepository: Sendable {
    let repository: Repository
    let mirrors: [MirrorAddress]
    let metadata: RPMMetadata
    /// Which state of the repository it is.
    let revision: MetadataRevision
}

/// What tells two states of a repository's metadata apart.
struct MetadataRevision: Hashable, Sendable {
    /// Of `repomd.xml`, in lower-case hex.
    let sha256: String
    /// When its newest file was made, in seconds since the epoch of Unix; 0 where it does not say.
    let timestamp: UInt64
}

/// An RPM of a repository that is to be in the mirror.
struct WantedRPM: Hashable, Sendable {
    let offered: RepodataPackage
    /// Lower-case hex.
    var sha256: String { offered.sha256 }
    /// The number of the repository.
    let repository: Int
    /// Relative to the mirror of the release.
    let location: String
}

extension Downloader {
    /// Finds the first mirror that has `repodata`, and fetches what dependencies are read from.
    func openRPMRepository(_ repository: Repository, folders: SyncFolders) async throws -> RPMRepository {
        var failures: [(MirrorAddress, any Error)] = []
        let mirrors = repository.addresses(AptSources(entries: []))
        for mirror in mirrors {
            do {
                let index = folders.work.appending("\(repository.name).repomd.xml")
                let source = try await describedIfBare(mirror, of: repository, folders)
                let bytes = try await small("repodata/repomd.xml", at: source, limit: 4 << 20)
                let files = try await blocking {
                    try writeFile(bytes, to: index)
                    do throws(DependencyError) {
                        return try repositoryMetadata(in: index, types: ["primary", "filelists"])
                    } catch {
                        throw MirrorFailure(.altered, "its repomd.xml cannot be read: \(error)")
                    }
                }
                let revision = MetadataRevision(
                    sha256: hexadecimal(SHA256.hash(data: bytes)), timestamp: files.values.map(\.timestamp).max() ?? 0)
                try await blocking { try revision.refuseReplay(of: repository, in: folders) }
                guard let primary = files["primary"] else {
                    throw MirrorFailure(.altered, "its repomd.xml names no primary metadata with a SHA-256")
                }
                let (packages, isNew) = try await fetch(primary, from: source, for: repository, folders)
                let lists = try await files["filelists"].asyncMap {
                    try await fetch($0, from: source, for: repository, folders)
                }
                let metadata = RPMMetadata(primary: packages, fileLists: lists?.file)
                if isNew || lists?.isNew == true { try await blocking { try check(metadata) } }
                return RPMRepository(
                    repository: repository, mirrors: [mirror] + mirrors.filter { $0 != mirror }, metadata: metadata,
                    revision: revision)
            } catch let failure as MirrorFailure {
                failures.append((mirror, failure))
            }
        }
        throw StageError.allMirrorsFailed(
            "the metadata of repository '\(repository.name)'", failures, as: .init(ofRepositoryAfter: failures))
    }

    private func fetch(
        _ file: RepositoryMetadataFile, from mirror: MirrorAddress, for repository: Repository, _ folders: SyncFolders
    ) async throws -> (file: FilePath, isNew: Bool) {
        guard isPlainPath(file.location), file.byteCount > 0 else {
            throw MirrorFailure(.altered, "its repomd.xml names a file outside of the repository")
        }
        let wanted = WantedFile(path: file.location, sha256: file.sha256, byteCount: file.byteCount)
        let kept = folders.metadata.appending("\(repository.name)_\(wanted.name)")
        if try await blocking({ try isFile(kept, sha256: file.sha256, byteCount: file.byteCount) }) {
            return (kept, false)
        }
        try await fetch(wanted, of: repository, from: [mirror], to: kept) { _ in }
        return (kept, true)
    }

    /// Reads metadata from end to end under limits before anything keeps it in memory; what is refused is removed. Blocking.
    private func check(_ metadata: RPMMetadata) throws {
        var bounds = RepodataLimits()
        bounds.fileBytes = limits.listBytes
        do {
            try readRepodata(
                primary: metadata.primary, fileLists: metadata.fileLists, limits: bounds, isWanted: { _ in false }
            ) { _ in }
        } catch let error as RepodataError {
            try removeFile(metadata.primary)
            if let lists = metadata.fileLists { try removeFile(lists) }
            throw MirrorFailure(.altered, "\(error)")
        }
    }
}

/// A key database of exactly the keys that a repository names, for rpmkeys(8).
func makeKeyDatabase(for repository: Repository, in folder: FilePath) async throws {
    for key in repository.keys {
        let result = try await rpmkeys(["--import", key.string], folder)
        guard result.succeeded else {
            throw StageError.sync(
                .badSignature,
                "The key file \(key.lastComponent?.string ?? "") of repository '\(repository.name)' was not accepted.",
                advice: "gpg/README.md says where keys come from.", exitStatus: result.termination.exitStatus,
                toolOutput: String(decoding: result.standardError, as: UTF8.self))
        }
    }
}

extension Downloader {
    /// The database of a repository's keys for packages that are fetched on first need; made once for each set of keys.
    func keyDatabase(for repository: Repository, of mirror: MirrorDirectory) async throws -> FilePath {
        let digest = try await blocking { try RefusedPackages.keys(of: repository) }
        let folder = mirror.path.appending("fetching").appending("keys-\(digest.prefix(32))")
        if try await blocking({ isDirectory(folder) }) { return folder }
        let aside = FilePath("\(folder.string).\(UInt64.random(in: 0 ... .max))")
        try await blocking { try makeDirectories(aside) }
        try await makeKeyDatabase(for: repository, in: aside)
        try await blocking {
            // Another one may have been faster; its database is as good.
            guard rename(aside.string, folder.string) == 0 || isDirectory(folder) else {
                throw Errno(rawValue: errno)
            }
        }
        return folder
    }
}

extension Downloader {
    /// Whether a package has a good signature of a key in the database; a package without any has none.
    ///
    /// Only a file that can be read to its end and is what the metadata announced is found wanting: rpmkeys says the same of
    /// a package without a signature, of one on a disk that fails, and when it has no memory.
    ///
    /// - Throws: ``CrashModel/StageError`` that is tried again when rpmkeys did not come to a verdict.
    func isSigned(_ file: FilePath, as wanted: WantedFile, keys folder: FilePath) async throws -> Bool {
        // At its default level rpmkeys is content with digests, which anybody can make.
        let result = try await rpmkeys(["--define", "_pkgverify_level all", "--checksig", file.string], folder)
        if result.succeeded { return true }
        let said = String(decoding: result.standardError, as: UTF8.self)
        if result.termination == .exited(1), !said.contains("memory alloc"),
            try await blocking({ try isFile(file, sha256: wanted.sha256, byteCount: wanted.byteCount) })
        {
            return false
        }
        throw StageError.sync(
            .internalError, "The signature of \(wanted.name) could not be checked: rpmkeys \(result.termination).",
            advice: "Check the memory of this machine and the disk that the mirrors lie on.", retryAfter: .seconds(60),
            exitStatus: result.termination.exitStatus, toolOutput: said)
    }
}

private func rpmkeys(_ arguments: [String], _ folder: FilePath) async throws -> ChildResult {
    var limits = SandboxLimits.tool
    // Debuginfo packages have gigabytes, and several are checked at once.
    limits.cpuSeconds = 1800
    limits.wallTime = .seconds(1800)
    do {
        return try await runTool(["rpmkeys", "--define", "_dbpath \(folder.string)"] + arguments, limits: limits)
    } catch {
        if error.code == .cancelled { throw CancellationError() }
        throw StageError.sync(.internalError, "rpmkeys could not be run: \(error).", retryAfter: .seconds(60))
    }
}

extension Optional {
    fileprivate func asyncMap<Value>(_ body: (Wrapped) async throws -> Value) async rethrows -> Value? {
        guard let self else { return nil }
        return try await body(self)
    }
}
