import CrashModel
import FoundationEssentials
import HTTPTypes
import Hummingbird
import TaskStorage

/// `GET /releases`: every release that is or was to be mirrored, how fresh it is and what went wrong, as JSON.
struct ReleasesRoute: Sendable {
    let dependencies: GatewayDependencies

    func add(to router: GatewayRouter) {
        router.onGet("releases") { _, _ in
            let now = dependencies.now() / 1_000_000
            let working = try await dependencies.store.syncs().filter { $0.kind == .started || $0.kind == .progress }
            let running = Dictionary(working.map { ($0.releaseID, $0) }) { first, _ in first }
            let mirrors = await dependencies.mirrors()
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let body = try encoder.encode(
                mirrors.sorted { $0.releaseID.description < $1.releaseID.description }.map {
                    ReleaseEntry($0, running: running[$0.releaseID], now: now)
                })
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
        }
    }
}

/// One release as `/releases` shows it; times are seconds since the epoch of Unix.
private struct ReleaseEntry: Encodable {
    let release: String
    let served: Bool
    let packages: Int
    let bytes: UInt64
    let synchronisedAt: Int64?
    let ageSeconds: Int64?
    let triedAt: Int64?
    let failure: String?
    let remarks: [String]
    let running: Running?

    struct Running: Encodable {
        let message: String
        let fraction: Double?
    }

    enum CodingKeys: String, CodingKey {
        case release, served, packages, bytes, failure, remarks, running
        case synchronisedAt = "synchronised_at"
        case ageSeconds = "age_seconds"
        case triedAt = "tried_at"
    }

    init(_ mirror: MirroredRelease, running: SyncStatus?, now: Int64) {
        release = mirror.releaseID.description
        served = mirror.isServed
        packages = mirror.packageCount
        bytes = mirror.byteCount
        synchronisedAt = mirror.lastSuccessAt
        ageSeconds = mirror.lastSuccessAt.map { max(0, now - $0) }
        triedAt = mirror.finishedAt
        failure = mirror.failure
        remarks = mirror.remarks
        self.running = running.map { Running(message: printable($0.message), fraction: $0.fraction) }
    }
}
