import FoundationEssentials

/// What `/releases` says of one release.
package struct ReleaseState: Hashable, Sendable, Decodable {
    /// Such as `debian-12-x86_64`.
    package let release: String
    /// Whether crashes of it can be retraced.
    package let isServed: Bool
    package let packageCount: Int
    /// How long ago it was last synchronised well, in seconds; nil for never.
    package let ageSeconds: Int64?
    /// Why the last synchronisation failed; nil when it went well.
    package let failure: String?
    /// What a synchronisation that is at work says of itself.
    package let running: String?

    private enum Key: String, CodingKey {
        case release, failure, running, served, packages
        case ageSeconds = "age_seconds"
    }

    private struct Running: Decodable {
        let message: String
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        release = try values.decode(String.self, forKey: .release)
        isServed = try values.decode(Bool.self, forKey: .served)
        packageCount = try values.decode(Int.self, forKey: .packages)
        ageSeconds = try values.decodeIfPresent(Int64.self, forKey: .ageSeconds)
        failure = try values.decodeIfPresent(String.self, forKey: .failure)
        running = try values.decodeIfPresent(Running.self, forKey: .running)?.message
    }

    /// Reads the body of `/releases`.
    ///
    /// - Throws: ``ClientError`` with `unavailable` for anything else.
    static func list(parsing body: String) throws(ClientError) -> [ReleaseState] {
        do {
            return try JSONDecoder().decode([ReleaseState].self, from: Data(body.utf8))
        } catch {
            throw ClientError(
                .unavailable, "The server's /releases cannot be read, so it is probably not a retrace server.",
                advice: "Check the address given with --server or RETRACE_SERVER_URI.")
        }
    }

    /// `2 h ago`, `never`.
    package var age: String {
        guard let ageSeconds else { return "never" }
        return switch ageSeconds {
        case ..<120: "\(ageSeconds) s ago"
        case ..<7200: "\(ageSeconds / 60) min ago"
        case ..<172_800: "\(ageSeconds / 3600) h ago"
        default: "\(ageSeconds / 86400) days ago"
        }
    }
}
