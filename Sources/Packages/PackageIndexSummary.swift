/// What a package index holds, counted when it was made.
package struct PackageIndexSummary: Hashable, Sendable {
    package let packageCount: Int
    package let debuginfoPackageCount: Int
    /// Distinct build-ids.
    package let buildIDCount: Int
    /// Seconds since the epoch of Unix.
    package let createdAt: Int64

    package init(packageCount: Int, debuginfoPackageCount: Int, buildIDCount: Int, createdAt: Int64) {
        self.packageCount = packageCount
        self.debuginfoPackageCount = debuginfoPackageCount
        self.buildIDCount = buildIDCount
        self.createdAt = createdAt
    }
}
