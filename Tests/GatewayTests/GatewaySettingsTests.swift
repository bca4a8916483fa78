import GatewayAPI
import Glibc
import NIOCore
import ServiceRuntime
import SystemPackage
import TestFixtures
import Testing

@testable import HTTPConnections
@testable import gateway

/// The gateway's settings, as the service reads them from a file.
@Suite struct GatewaySettingsTests {
    private func configuration(_ yaml: String, gathersFaults: Bool = false) async throws -> ServiceConfiguration {
        try await ScratchDirectory.with { folder in
            let file = folder.appending("gateway.yaml")
            try FolderContents.write(yaml.utf8, to: file)
            let keys = ConfigurationKey.ofGateway + [.amqpHost, .logLevel]
            return try await ServiceConfiguration(name: "gateway", keys: keys, file: file, gathersFaults: gathersFaults)
        }
    }

    @Test(arguments: [("true", true), ("yes", true), ("On", true), ("no", false), ("OFF", false)])
    func httpsIsRequiredHoweverYesIsSpelt(text: String, isRequired: Bool) async throws {
        let configuration = try await configuration("http: {requirehttps: \(text), trustedproxies: '::1'}")
        #expect(try Gateway.accessRule(configuration).requireHTTPS == isRequired)
    }

    @Test func requirementThatNoRequestCouldMeetIsRefused() async throws {
        let alone = try await configuration("http: {requirehttps: yes}")
        let refusal = #expect(throws: ConfigurationRefusal.self) { try Gateway.accessRule(alone) }
        #expect(refusal?.description.contains("http.trustedproxies") == true)
        let tls = try await configuration("http: {requirehttps: yes, tls: {certificate: /c.pem, key: /k.pem}}")
        #expect(try Gateway.accessRule(tls).listener == .tls)
    }

    @Test(arguments: ["1", "maybe", "tru", "[true, true]"]) func requirementThatIsNoYesOrNoIsRefused(
        text: String
    ) async throws {
        let configuration = try await configuration("http: {requirehttps: \(text)}")
        let refusal = #expect(throws: ConfigurationRefusal.self) { try Gateway.accessRule(configuration) }
        #expect(refusal?.description.contains("http.requirehttps") == true)
    }

    @Test func rangesMayBeAListOfTheFile() async throws {
        let configuration = try await configuration(
            "http: {trustedproxies: [127.0.0.0/8, '::1']}\nlimits: {client: {exempt: [10.0.0.1]}}\n")
        let proxy = try #require(ClientAddress("127.0.0.1"))
        #expect(try Gateway.accessRule(configuration).trustedProxies.contains { $0.contains(proxy) })
        let client = try #require(ClientAddress("10.0.0.1"))
        #expect(try Gateway.clientLimits(configuration).exempt.contains { $0.contains(client) })
    }

    private func cap(_ yaml: String, openFiles: Int = 100_000) async throws -> ConnectionCap {
        let settings = try GatewaySettings(try await configuration(yaml))
        return Gateway.connectionCap(settings, openFiles: openFiles, ClientLimiter(settings.clients))
    }

    @Test func connectionsAreLimitedBySettingsAndByWhatFilesMayBeOpen() async throws {
        let cap = try await cap(
            "http: {trustedproxies: 10.0.0.1}\nlimits: {connections: 5, client: {connections: 2}}")
        #expect(try admitted(by: cap, "192.0.2.1", 10) == 2)
        // An IPv6 network is one client, a trusted proxy is many, and the operator's own are always let in.
        #expect(try admitted(by: cap, "2001:db8::1", 1) == 1)
        #expect(try admitted(by: cap, "2001:db8::2", 10) == 1)
        #expect(try admitted(by: cap, "10.0.0.1", 10) == 1)
        // For these there is some room beyond.
        #expect(try admitted(by: cap, "127.0.0.1", 100) == 64)
        let few = try await self.cap("limits: {client: {connections: 1000}}", openFiles: 1024)
        #expect(try admitted(by: few, "192.0.2.1", 2000) == 1024 / 2 - 128)
        let usual = try await self.cap("{}")
        #expect(try admitted(by: usual, "192.0.2.1", 2000) == 512)
    }

    private func admitted(by cap: ConnectionCap, _ address: String, _ count: Int) throws -> Int {
        let address = try SocketAddress(ipAddress: address, port: 1)
        return (0..<count).filter { _ in cap.admit(address) != nil }.count
    }

    @Test func asManyFilesAsTheSystemLetsMayBeOpen() throws {
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        try #require(getrlimit(kind, &limit) == 0 && limit.rlim_max > 1)
        limit.rlim_cur = min(limit.rlim_cur, limit.rlim_max - 1)
        try #require(setrlimit(kind, &limit) == 0)
        let count = raiseOpenFileLimit(to: 1 << 30)
        try #require(getrlimit(kind, &limit) == 0)
        #expect(limit.rlim_cur == min(limit.rlim_max, 1 << 30) && count == Int(limit.rlim_cur))
    }

    @Test func checkTellsAllThatIsWrong() async throws {
        let configuration = try await configuration(
            """
            http: {requirehttps: perhaps, port: 99999, trustedproxies: everybody, timeouts: {head: soon}}
            limits: {packed: much}
            tasks: {deleteafter: 1, deletefailedafter: 2}
            plugins: /nowhere/plugins
            """, gathersFaults: true)
        let refusal = await #expect(throws: ConfigurationRefusal.self) {
            try await configuration.tellingAllFaults { try await Gateway.check(configuration) }
        }
        for key in [
            "http.requirehttps", "http.port", "http.trustedproxies", "http.timeouts.head", "limits.packed",
            "tasks.deletefailedafter", "/nowhere/plugins",
        ] { #expect(refusal?.description.contains(key) == true, "\(key)") }
    }

    /// What is good for the check is good for the service: both read the same.
    @Test func nonsenseInAnyKeyThatIsNoTextIsTold() async throws {
        let texts: Set<String> = [
            "http.host", "http.tls.certificate", "http.tls.key", "database", "spool", "repositories", "plugins", "keys",
        ]
        let keys = ConfigurationKey.ofGateway.map(\.name).filter { !texts.contains($0) }
        #expect(keys.count > 25)
        for key in keys {
            let yaml = key.split(separator: ".").reversed().reduce("'no/nonsense'") { "{\($1): \($0)}" }
            let configuration = try await configuration(yaml, gathersFaults: true)
            let refusal = await #expect(throws: ConfigurationRefusal.self, "\(key)") {
                try await configuration.tellingAllFaults { try await Gateway.check(configuration) }
            }
            #expect(refusal?.description.contains("\(key) in ") == true, "\(key): \(refusal as Any)")
        }
    }

    @Test func archiveThatComesTooLateOrCannotBeWrittenIsRefused() async throws {
        let late = try await configuration(
            "tasks: {archiveafter: 500, deleteafter: 120, archive: /var/lib/archive}")
        let refusal = #expect(throws: ConfigurationRefusal.self) { try GatewaySettings(late) }
        #expect(refusal?.description.contains("deleted before") == true)
        let good = try await configuration("tasks: {archiveafter: 48, deleteafter: 120, archive: /nowhere/archive}")
        let settings = try GatewaySettings(good)
        let archive = try #require(settings.archive)
        let unwritable = #expect(throws: ConfigurationRefusal.self) { try checkArchive(archive, good) }
        #expect(unwritable?.description.contains("/nowhere/archive") == true)
        try ScratchDirectory.with { try checkArchive($0, good) }
    }
}
