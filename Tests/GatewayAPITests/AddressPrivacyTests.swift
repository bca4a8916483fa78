import HTTPTypes
import HummingbirdTesting
import Logging
import Synchronization
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import GatewayAPI

/// The front page promises that addresses of clients are not kept; upstream kept them for ever.
@Suite struct AddressPrivacyTests {
    @Test func addressesOfClientsAreNeitherStoredNorLogged() async throws {
        let words = Mutex("")
        let logger = Logger(label: "test", factory: { _ in Recording { text in words.withLock { $0 += text + "\n" } } })
        let proxies = try #require(AddressRange.list("127.0.0.0/8"))
        let clients = ClientLimiter(ClientLimits(tasksPerHour: 1, wrongPasswordsPerHour: 1))
        var limits = GatewayLimits(maxParallelTasks: 1)
        limits.allowMetrics = true
        try await GatewayBench.run(
            .live, limits: limits, access: AccessRule(trustedProxies: proxies), clients: clients,
            extras: .init(logger: logger)
        ) { bench, client in
            let more: HTTPFields = [.forwardedFor: "203.0.113.77"]
            var codes: [Int] = []
            let first = try await client.upload(more: more)
            codes.append(first.status.code)
            codes.append(try await client.upload(more: more).status.code)
            let path = "/\(first.headers[.taskID] ?? "")"
            for word in ["wrong", "again"] {
                codes.append(try await client.get(path, password: word, more: more).status.code)
            }
            codes.append(try await client.get("/settings", more: more).status.code)
            let password = first.headers[.taskPassword]
            codes.append(try await client.get(path + "/delete", password: password, more: more).status.code)
            codes.append(try await client.upload(more: more).status.code)
            #expect(codes == [201, 503, 403, 429, 200, 200, 429])
            #expect(clients.count == 1)

            var kept = words.withLock { Array($0.utf8) }
            #expect(String(decoding: kept, as: UTF8.self).contains("task created"))
            // The database with its journal, and all that is in the spool.
            for file in FolderContents.names(in: bench.spool) where file.hasPrefix("tasks.sqlite") {
                kept += try FolderContents.read(bench.spool.appending(file))
            }
            let text = String(decoding: kept, as: UTF8.self)
            #expect(text.contains("CREATE TABLE task"))
            for address in ["203.0.113.77", "127.0.0.1"] { #expect(!text.contains(address)) }
            #expect(!kept.contains([203, 0, 113, 77]))
            #expect(!kept.contains(Array("cb00714d".utf8)))
        }
    }
}

/// Gives the test every line, whatever its level, with all that belongs to it.
private struct Recording: LogHandler {
    private let record: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    init(_ record: @escaping @Sendable (String) -> Void) { self.record = record }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { record("\(event.message) \(event.metadata ?? [:]) \(metadata)") }
}
