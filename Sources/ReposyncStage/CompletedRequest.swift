import CrashModel
import Crypto
import Distributions
import Packages
import SystemPackage

/// What the last complete synchronisation did, so that the same request of unchanged repositories ends at once.
struct CompletedRequest: Sendable {
    let selectedCount: Int
    let remarks: [String]
    let index: PackageIndexSummary

    init(selectedCount: Int, remarks: [String], index: PackageIndexSummary) {
        self.selectedCount = selectedCount
        self.remarks = remarks
        self.index = index
    }

    /// A digest of all that decides what is mirrored: the request, the plugin's repositories, and their signed texts.
    static func fingerprint(of request: SyncRequest, _ distribution: Distribution, _ suites: [DebianSuite]) -> String {
        var digest = SHA256()
        var words = ["1", request.withClosure ? "closure" : "alone"] + distribution.packagedDebuggers
        words += request.packages.sorted()
        for suite in suites {
            words += [suite.repository.name, suite.repository.mode.rawValue] + suite.repository.components
        }
        digest.update(data: Array(words.joined(separator: "\n").utf8))
        for suite in suites { digest.update(data: Array(SHA256.hash(data: suite.signedText))) }
        return hexadecimal(digest.finalize())
    }

    /// The same for RPM repositories: the request, the digests of their metadata, and the keys that may sign.
    ///
    /// - Throws: `Errno` for a key file that cannot be read.
    static func fingerprint(
        of request: SyncRequest, _ distribution: Distribution, _ repositories: [RPMRepository]
    ) throws -> String {
        var digest = SHA256()
        var words = ["2", request.withClosure ? "closure" : "alone"] + distribution.packagedDebuggers
        words += request.packages.sorted()
        for opened in repositories {
            let repository = opened.repository
            words += [
                repository.name, opened.revision.sha256, String(repository.checksSignatures), repository.mode.rawValue,
                "keep \(repository.keptVersions ?? 0)",
            ]
            for key in opened.repository.keys {
                words.append(hexadecimal(SHA256.hash(data: try readFile(key, limit: 16 << 20))))
            }
        }
        digest.update(data: Array(words.joined(separator: "\n").utf8))
        return hexadecimal(digest.finalize())
    }

    /// nil unless the last complete synchronisation had this fingerprint and all that it made is still there. Blocking.
    init?(in folders: SyncFolders, of mirror: MirrorDirectory, if fingerprint: String) throws {
        let lines: [Substring]
        do {
            let bytes = try readFile(Self.path(folders), limit: 16 << 20)
            lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        } catch Errno.noSuchFileOrDirectory {
            return nil
        }
        guard lines.count >= 2, lines[0] == fingerprint, let count = Int(lines[1]),
            let index = try? PackageIndex(mirror), try Self.hasEveryFile(mirror, index)
        else { return nil }
        self.init(selectedCount: count, remarks: lines.dropFirst(2).map(String.init), index: index.summary)
    }

    /// Replaces what is known of the one before. Blocking.
    func write(to folders: SyncFolders, _ fingerprint: String) throws {
        let lines =
            [fingerprint, String(selectedCount)] + remarks.map { $0.split(separator: "\n").joined(separator: " ") }
        let aside = folders.work.appending("complete")
        try writeFile(Array(lines.joined(separator: "\n").utf8), to: aside)
        try publish(aside, as: Self.path(folders))
    }

    private static func path(_ folders: SyncFolders) -> FilePath { folders.metadata.appending("complete") }

    private static func hasEveryFile(_ mirror: MirrorDirectory, _ index: PackageIndex) throws -> Bool {
        var isComplete = true
        try index.forEachPackage { package in
            guard isComplete else { return }
            if package.isOffered { return }
            isComplete = mirror.byteCount(at: package.location) == package.byteCount
        }
        return isComplete
    }
}
