import FoundationEssentials

/// How the last synchronisation of a mirror went: the contents of `sync.json`.
package struct SyncStatus: Codable, Hashable, Sendable {
    /// When it ended, in seconds since the epoch of Unix.
    package let finishedAt: Int64
    /// Why it failed, as a sentence without paths of the server; nil when it went well.
    package let failure: String?
    /// The packages in the mirror.
    package let packageCount: Int
    /// The sum of the package files in the mirror, in bytes.
    package let byteCount: UInt64
    /// When the last good one ended, in seconds since the epoch of Unix; nil if there was none yet.
    package let lastSuccessAt: Int64?

    package enum CodingKeys: String, CodingKey {
        case finishedAt = "finished_at"
        case failure
        case packageCount = "packages"
        case byteCount = "bytes"
        case lastSuccessAt = "last_success_at"
    }

    package init(
        finishedAt: Int64, failure: String?, packageCount: Int, byteCount: UInt64, lastSuccessAt: Int64?
    ) {
        self.finishedAt = finishedAt
        self.failure = failure
        self.packageCount = packageCount
        self.byteCount = byteCount
        self.lastSuccessAt = lastSuccessAt
    }

    /// The status of `mirror`; nil when it was never synchronised or the file cannot be understood. Blocking.
    package init?(of mirror: MirrorDirectory) {
        guard let bytes = try? readSmallFile(mirror.syncStatus, limit: 65536),
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
