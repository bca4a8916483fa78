package import CrashModel

/// Fetch those packages of a crash that the mirror has only heard of, before they are put into a root.
package struct FetchJob: JobMessage, Hashable {
    package static let stage = Stage.fetch
    /// What follows when the packages are there; a package that cannot be had is told in its resolution's remarks.
    package let build: BuildJob

    package var task: TaskID? { build.task }

    package init(before build: BuildJob) { self.build = build }

    package init(from decoder: any Decoder) throws { build = try BuildJob(from: decoder) }

    package func encode(to encoder: any Encoder) throws { try build.encode(to: encoder) }
}
