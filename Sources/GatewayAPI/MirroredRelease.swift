package import CrashModel

/// What is known of the mirror of one release, for whoever asks how fresh it is.
package struct MirroredRelease: Hashable, Sendable {
    package let releaseID: ReleaseID
    /// Whether crashes of it can be retraced: there is an index.
    package let isServed: Bool
    /// The packages that its index names.
    package let packageCount: Int
    /// The package files in the mirror, in bytes.
    package let byteCount: UInt64
    /// When it was last synchronised well, in seconds since the epoch of Unix; nil for never.
    package let lastSuccessAt: Int64?
    /// When the last try ended, in seconds since the epoch of Unix; nil for never.
    package let finishedAt: Int64?
    /// Why the last try failed, as a sentence; nil when it went well.
    package let failure: String?
    /// What an operator should know of the last try, a sentence each: packages that were refused, and the like.
    package let remarks: [String]

    package init(
        releaseID: ReleaseID, isServed: Bool, packageCount: Int = 0, byteCount: UInt64 = 0,
        lastSuccessAt: Int64? = nil, finishedAt: Int64? = nil, failure: String? = nil, remarks: [String] = []
    ) {
        self.releaseID = releaseID
        self.isServed = isServed
        self.packageCount = packageCount
        self.byteCount = byteCount
        self.lastSuccessAt = lastSuccessAt
        self.finishedAt = finishedAt
        self.failure = failure
        self.remarks = remarks
    }

    /// `3 hours ago`; `never`.
    ///
    /// - Parameter now: Seconds since the epoch of Unix.
    func age(now: Int64) -> String {
        guard let lastSuccessAt else { return "never" }
        let seconds = max(0, now - lastSuccessAt)
        let (count, unit) =
            switch seconds {
            case ..<120: (seconds, "second")
            case ..<7200: (seconds / 60, "minute")
            case ..<172_800: (seconds / 3600, "hour")
            default: (seconds / 86400, "day")
            }
        return "\(count) \(unit)\(count == 1 ? "" : "s") ago"
    }
}
