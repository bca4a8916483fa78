import Glibc

/// `/settings` as abrt-retrace-client.c reads it, quirks included (lines 312 to 433 of ABRT 2.15).
package struct ABRTSettings: Sendable, Equatable {
    package var runningTasks = 0
    package var maxRunningTasks = 0
    /// MiB.
    package var maxPackedSize: Int64 = 0
    package var maxUnpackedSize: Int64 = 0
    package var formats: [String] = []
    package var releases: [String] = []

    private static let maxFormats = 16
    private static let maxReleases = 32

    /// - Throws: ``ABRTClient/Failure`` for any status but 200 and for an empty body.
    package init(_ reply: ABRTConnection.Reply) throws {
        guard reply.status == 200 else { throw ABRTClient.Failure("settings: \(reply.status)") }
        guard !reply.body.isEmpty else { throw ABRTClient.Failure("settings: empty") }
        for line in reply.body.split(separator: 0x0a) {
            // Cut at the first space; a line without one is skipped.
            guard let space = line.firstIndex(of: 0x20) else { continue }
            let key = String(decoding: line[..<space], as: UTF8.self).lowercased()
            let value = String(decoding: line[(space + 1)...], as: UTF8.self)
            switch key {
            case "running_tasks": runningTasks = Int(atoi(value))
            case "max_running_tasks": maxRunningTasks = Int(atoi(value))
            case "max_packed_size": maxPackedSize = Int64(atoll(value))
            case "max_unpacked_size": maxUnpackedSize = Int64(atoll(value))
            case "supported_formats": formats = Self.slots(of: value, Self.maxFormats)
            case "supported_releases": releases = Self.slots(of: value, Self.maxReleases)
            default: continue
            }
        }
    }

    /// Cut at single spaces; what does not fit stays in the last slot, joined.
    private static func slots(of value: String, _ count: Int) -> [String] {
        value.split(separator: " ", maxSplits: count - 1, omittingEmptySubsequences: false).map(String.init)
    }
}
