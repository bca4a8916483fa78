import FoundationEssentials

/// How the last synchronisation of a mirror went: the contents of `sync.json`.
package struct SyncStatus: Codable, Hashable, Sendable {
    /// When it ended, in seconds since the epoch of Unix.
    package let finishedAt: Int64
    /// Why it failed, as a sentence without paths of the server; nil when it went well.
    package let failure: String?
    /// The packages that the index names, those among them that are fetched on first need.
    package let packageCount: Int
    /// The sum of the package files in the mirror, in bytes.
    package let byteCount: UInt64
    /// When the last good one ended, in seconds since the epoch of Unix; nil if there was none yet.
    package let lastSuccessAt: Int64?
    /// What an operator should know of it, a sentence each, at most a thousand.
    package let remarks: [String]
    /// The packages that have no good signature of a key that the plugin names, at most a thousand.
    package let refused: [String]
    /// The repositories whose packages are taken without a signature, because the plugin says so.
    package let unsignedRepositories: [String]

    package enum CodingKeys: String, CodingKey {
        case finishedAt = "finished_at"
        case failure, remarks, refused
        case unsignedRepositories = "unsigned_repositories"
        case packageCount = "packages"
        case byteCount = "bytes"
        case lastSuccessAt = "last_success_at"
    }

    package init(
        finishedAt: Int64, failure: String?, packageCount: Int, byteCount: UInt64, lastSuccessAt: Int64?,
        remarks: [String] = [], refused: [String] = [], unsignedRepositories: [String] = []
    ) {
        self.finishedAt = finishedAt
        self.failure = failure
        self.packageCount = packageCount
        self.byteCount = byteCount
        self.lastSuccessAt = lastSuccessAt
        self.remarks = Array(remarks.prefix(1000))
        self.refused = Array(refused.prefix(1000))
        self.unsignedRepositories = unsignedRepositories
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        finishedAt = try values.decode(Int64.self, forKey: .finishedAt)
        failure = try values.decodeIfPresent(String.self, forKey: .failure)
        packageCount = try values.decode(Int.self, forKey: .packageCount)
        byteCount = try values.decode(UInt64.self, forKey: .byteCount)
        lastSuccessAt = try values.decodeIfPresent(Int64.self, forKey: .lastSuccessAt)
        remarks = try values.decodeIfPresent([String].self, forKey: .remarks) ?? []
        refused = try values.decodeIfPresent([String].self, forKey: .refused) ?? []
        unsignedRepositories = try values.decodeIfPresent([String].self, forKey: .unsignedRepositories) ?? []
    }

    /// The status of `mirror`; nil when it was never synchronised or the file cannot be understood. Blocking.
    package init?(of mirror: MirrorDirectory) {
        guard let bytes = try? readSmallFile(mirror.syncStatus, limit: 1 << 20),
            let status = try? JSONDecoder().decode(Self.self, from: Data(bytes))
        else { return nil }
        self = status
    }

    /// Replaces the status of `mirror` through a rename. Blocking.
    ///
    /// - Throws: `Errno` of the system call that failed.
    package func write(to mirror: MirrorDirectory) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        try replaceFile(mirror.syncStatus, with: Array(encoder.encode(self)))
    }
}
