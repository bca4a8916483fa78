/// A room of the pipeline; its raw value is the routing key of its jobs.
package enum Stage: String, Hashable, Sendable, CaseIterable {
    case ingest
    case resolve
    /// Only where packages are mirrored on first need.
    case fetch
    case build
    case retrace
    case reposync

    /// What the stage does, for a person who waits: `unpacking the upload`.
    package var activity: String {
        switch self {
        case .ingest: "unpacking the upload and reading the core"
        case .resolve: "finding the packages that crashed"
        case .fetch: "fetching packages from their mirrors"
        case .build: "putting the packages into a root"
        case .retrace: "running the debugger"
        case .reposync: "synchronising the repository"
        }
    }
}
