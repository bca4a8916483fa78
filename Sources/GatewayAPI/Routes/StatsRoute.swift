import CrashModel
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import TaskStorage

/// `/stats`: what became of all tasks, as a page; `/stats.json` or `Accept: application/json`: the same as data.
struct StatsRoute: Sendable {
    let dependencies: GatewayDependencies
    let pages: Pages

    func add(to router: GatewayRouter) {
        router.onAnyMethod("stats") { request, _ in
            guard StatusForm(accept: request.headers[.accept]) != .json else { return try await data() }
            let now = dependencies.now()
            var response = pages.response(
                "stats", StatsPage(try await dependencies.store.statistics(microseconds: now), now: now))
            response.headers[.vary] = "Accept"
            return response
        }
        router.onAnyMethod("stats.json") { _, _ in try await data() }
    }

    private func data() async throws -> Response {
        let now = dependencies.now()
        let document = StatsDocument(
            try await dependencies.store.statistics(microseconds: now), try await dependencies.store.history(of: nil))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        headers[.vary] = "Accept"
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encoder.encode(document))))
    }
}

/// The statistics as JSON; times are seconds since the epoch.
private struct StatsDocument: Encodable {
    let version = 1
    let all: Int
    let success: Int
    let failure: Int
    let denied: Int
    let first: Int64?
    let architectures: [Entry]
    let releases: [Entry]
    let packages: [Entry]
    let requiredPackages: [Entry]
    let missingBuildIDs: [Entry]
    let days: [Day]
    /// The medians of the last tasks that ended well, in seconds.
    let stageSeconds: [String: Double]

    struct Day: Encodable {
        /// `2026-11-25`.
        let day: String
        let success: Int
        let failure: Int
    }

    struct Entry: Encodable {
        let name: String
        var versions: Int?
        var buildID: String?
        let count: Int

        enum CodingKeys: String, CodingKey {
            case name, versions, count
            case buildID = "build_id"
        }
    }

    enum CodingKeys: String, CodingKey {
        case version, all, success, failure, denied, first, architectures, releases, packages, days
        case requiredPackages = "required_packages"
        case missingBuildIDs = "missing_build_ids"
        case stageSeconds = "stage_seconds"
    }

    init(_ statistics: Statistics, _ history: StageHistory) {
        func plain(_ counts: [Statistics.Count]) -> [Entry] {
            counts.map { Entry(name: printable($0.name), count: $0.count) }
        }
        all = statistics.success + statistics.failure
        success = statistics.success
        failure = statistics.failure
        denied = statistics.denied
        first = statistics.first.map { $0 / 1_000_000 }
        architectures = plain(statistics.architectures)
        releases = plain(statistics.releases)
        packages = plain(statistics.packages)
        requiredPackages = statistics.requiredPackages.map {
            Entry(name: printable($0.name), versions: $0.more.flatMap { Int($0) }, count: $0.count)
        }
        missingBuildIDs = statistics.missingBuildIDs.map {
            Entry(name: printable($0.name), buildID: $0.more == "-" ? nil : $0.more.map(printable), count: $0.count)
        }
        days = statistics.days.map { Day(day: isoDate($0.day), success: $0.success, failure: $0.failure) }
        stageSeconds = Dictionary(
            uniqueKeysWithValues: history.medians.map { ($0.key.rawValue, Double($0.value) / 1e6) })
    }
}
