/// What has become of all tasks, also of those that are gone.
package struct Statistics: Sendable, Equatable {
    package let success: Int
    package let failure: Int
    /// Uploads that found the server full.
    package let denied: Int
    /// When the first task began, in microseconds since the epoch; nil before the first has ended.
    package let first: Int64?
    package let architectures: [Count]
    /// By distribution and version, such as `debian-12`.
    package let releases: [Count]
    /// The packages that crashed most.
    package let packages: [Count]
    /// The packages that were needed most; `more` is the number of their versions.
    package let requiredPackages: [Count]
    /// The files whose package or debuginfo was missing most; `more` is the build-id, `-` for none.
    package let missingBuildIDs: [Count]
    /// The days with tasks among the last 30, by the day of their end.
    package let days: [Day]

    package struct Count: Sendable, Equatable {
        package let name: String
        package let more: String?
        package let count: Int
    }

    package struct Day: Sendable, Equatable {
        /// Days since the epoch.
        package let day: Int64
        package let success: Int
        package let failure: Int
    }
}
