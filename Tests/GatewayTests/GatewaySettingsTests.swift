import GatewayAPI
import ServiceRuntime
import SystemPackage
import TestFixtures
import Testing

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
