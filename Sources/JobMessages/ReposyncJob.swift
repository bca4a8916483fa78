package import CrashModel

/// Synchronise the mirror of one release and build its package index.
package struct ReposyncJob: JobMessage, Hashable {
    package static let stage = Stage.reposync
    package let releaseID: ReleaseID
    /// The packages to fetch, by name; empty for all of the release.
    package let packages: [String]
    /// Whether the dependencies and debug packages of ``packages`` are fetched too.
    package let withClosure: Bool
    /// Who asked, for the log: `timer`, `retrace sync by alice@host`.
    package let requestedBy: String

    package var task: TaskID? { nil }

    package init(releaseID: ReleaseID, packages: [String], withClosure: Bool, requestedBy: String) {
        self.releaseID = releaseID
        self.packages = packages
        self.withClosure = withClosure
        self.requestedBy = requestedBy
    }

    private enum Key: String, CodingKey {
        case version, packages
        case releaseID = "release_id"
        case withClosure = "with_closure"
        case requestedBy = "requested_by"
    }

    package init(from decoder: any Decoder) throws {
        try decoder.container(keyedBy: EnvelopeKey.self).checkVersion()
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            releaseID: values.decode(ReleaseID.self, forKey: .releaseID),
            packages: values.decodeIfPresent([String].self, forKey: .packages) ?? [],
            withClosure: values.decodeIfPresent(Bool.self, forKey: .withClosure) ?? true,
            requestedBy: values.decodeIfPresent(String.self, forKey: .requestedBy) ?? "by hand")
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(messageVersion, forKey: .version)
        try values.encode(releaseID, forKey: .releaseID)
        try values.encode(packages, forKey: .packages)
        try values.encode(withClosure, forKey: .withClosure)
        try values.encode(requestedBy, forKey: .requestedBy)
    }
}
