import SystemPackage
import TestFixtures
import Testing

@testable import ServiceRuntime

/// What is written down as a setting and would set nothing keeps a service from starting.
@Suite struct SettingsFaultsTests {
    private static let require = ConfigurationKey("http.requirehttps", default: "false", "yes or no")
    private static let packed = ConfigurationKey("limits.packed", default: "1024", "MiB")
    private static let exempt = ConfigurationKey("limits.client.exempt", default: "::1", "addresses")
    private static let keys: [ConfigurationKey] = [
        require, packed, exempt, .spool, .store, .amqpHost, .amqpPort, .maxUnpackedSize,
    ]

    private func read(
        _ yaml: String? = nil, environment: [String: String] = [:], gathersFaults: Bool = false
    ) async throws -> ServiceConfiguration {
        try await ScratchDirectory.with { folder in
            let file = folder.appending("settings.yaml")
            if let yaml { try FolderContents.write(yaml.utf8, to: file) }
            return try await ServiceConfiguration(
                name: "gateway", keys: Self.keys, environment: environment, file: yaml == nil ? nil : file,
                gathersFaults: gathersFaults)
        }
    }

    /// The lines of the refusal, without the file's path.
    private func faults(_ yaml: String? = nil, environment: [String: String] = [:]) async throws -> [String] {
        let refusal = await #expect(throws: ConfigurationRefusal.self) {
            try await read(yaml, environment: environment)
        }
        return (refusal?.description ?? "").split(separator: "\n").map { line in
            line.split(separator: ".yaml, ", maxSplits: 1).last.map(String.init) ?? ""
        }
    }

    @Test(arguments: [
        ("true", true), ("True", true), ("YES", true), ("on", true), ("false", false), ("no", false), ("Off", false),
    ])
    func yesAndNoAreReadInEveryUsualSpelling(text: String, value: Bool) async throws {
        #expect(try await read("http: {requirehttps: \(text)}").flag(Self.require) == value)
        #expect(try await read(environment: ["RETRACE_HTTP_REQUIREHTTPS": text]).flag(Self.require) == value)
    }

    @Test(arguments: ["1", "0", "maybe", "tru", "y", "yes please", "''"])
    func anythingElseIsNoYesAndNoNo(text: String) async throws {
        let configuration = try await read("http: {requirehttps: \(text)}")
        let refusal = #expect(throws: ConfigurationRefusal.self) { try configuration.flag(Self.require) }
        #expect(refusal?.description.hasPrefix("http.requirehttps in /") == true)
        #expect(refusal?.description.hasSuffix("is neither true nor false") == true)
    }

    @Test func listIsTheTextWithCommas() async throws {
        let configuration = try await read("limits:\n  client:\n    exempt: [10.0.0.0/8, '::1']\n  packed: [7]\n")
        #expect(configuration.text(Self.exempt) == "10.0.0.0/8, ::1")
        #expect(try configuration.number(Self.packed) == 7)
        let two = try await read("limits: {packed: [7, 8]}")
        #expect(throws: ConfigurationRefusal.self) { try two.number(Self.packed) }
    }

    @Test func valueInAFormThatNobodyReadsIsRefusedAndAllFaultsAreToldAtOnce() async throws {
        let yaml = """
            spool: {a: b}
            limits:
              packed: [[1]]
              paked: 3
            http: true
            store:
              - a: b
            """
        let found = try await faults(yaml, environment: ["RETRACE_SPOOOL": "/x"])
        #expect(
            found.map { $0.prefix { $0 != ":" } } == [
                "line 1", "line 3", "line 4", "line 5", "line 6",
                "RETRACE_SPOOOL in the environment",
            ])
        #expect(found[0].contains("'spool' takes one value") && found[1].contains("'limits.packed' takes one value"))
        #expect(found[2].contains("there is no setting 'limits.paked'"))
        #expect(found[3].contains("'http' is no setting but a section"))
    }

    @Test(arguments: ["", "# nothing but a comment\n", "http:\n#  requirehttps: true\n", "~\n"])
    func fileOrSectionWithNothingInItSetsNothing(yaml: String) async throws {
        #expect(try await read(yaml).flag(Self.require) == false)
    }

    @Test(arguments: ["- spool\n", "just words\n", "spool: /a\nspool: /b\n", "a: [1, 2\nb: }", "spool: *nowhere\n"])
    func whatIsNoMappingOfSettingsIsRefused(yaml: String) async throws {
        #expect(try await faults(yaml).count >= 1)
    }

    @Test(arguments: [
        "RETRACE_HTTP_REQUIREHTPS", "RETRACE_HTTP_HTTPS", "RETRACE_AMQP_HOTS", "RETRACE_SPOL", "RETRACE_SPOOLS",
        "RETRACE_SOPOL", "RETRACE_http_requirehttps", "RETRACE_LIMITS_PACKE", "RETRACE_LIMITS_CLIENT_EXEMTP",
    ])
    func mistypedVariableIsRefused(name: String) async throws {
        let found = try await faults(environment: [name: "hunter2"])
        #expect(found.count == 1 && found[0].hasPrefix("\(name) in the environment: there is no such setting"))
        #expect(!found[0].contains("hunter2"))
    }

    @Test(arguments: [
        "RETRACE_BIN", "RETRACE_STATE", "RETRACE_SERVER_URI", "RETRACE_PASSWORD", "RETRACE_TEST_AMQP",
        "RETRACE_PRIVATE_NODE", "RETRACE_WORKER_CONCURRENCY", "RETRACE_LIMITS_TASKS", "RETRACE_DATABASE", "HTTP_PROXY",
        "RETRACE_SERVICES", "RETRACE_SOURCES", "RETRACE_STORELIMIT",
    ])
    func variableOfAScriptOrOfAnotherServicePasses(name: String) async throws {
        _ = try await read(environment: [name: "x"])
    }

    @Test func refusalNamesTheFileThatWasRead() async throws {
        let key = ConfigurationKey("http.tls.key", default: nil, "a key")
        try await ScratchDirectory.with { folder in
            let file = folder.appending("mine.yaml")
            try FolderContents.write("http: {}\n".utf8, to: file)
            let configuration = try await ServiceConfiguration(name: "gateway", keys: [key], file: file)
            let refusal = #expect(throws: ConfigurationRefusal.self) { try configuration.required(key) }
            #expect(refusal?.description.hasSuffix("the key in \(file)") == true)
        }
        let usual = try await ServiceConfiguration(name: "gateway-of-nobody", keys: [key])
        let refusal = #expect(throws: ConfigurationRefusal.self) { try usual.required(key) }
        #expect(refusal?.description.hasSuffix("/etc/retrace/gateway-of-nobody.yaml") == true)
    }

    @Test func checkTellsEveryBadValueAndNotOnlyTheFirst() async throws {
        let configuration = try await read(
            "limits: {packed: many}\nhttp: {requirehttps: perhaps}\nsool: /x\n",
            environment: ["RETRACE_AMQP_PORT": "0"], gathersFaults: true)
        let refusal = await #expect(throws: ConfigurationRefusal.self) {
            try await configuration.tellingAllFaults {
                for _ in 0..<2 { _ = try configuration.number(Self.packed) }
                _ = try configuration.flag(Self.require)
                _ = try configuration.brokerAddress()
                throw Errno.noSuchFileOrDirectory
            }
        }
        let lines = (refusal?.description ?? "").split(separator: "\n")
        #expect(lines.count == 5)
        for (line, word) in zip(lines, ["'sool'", "limits.packed", "http.requirehttps", "amqp.port", "No such file"]) {
            #expect(line.contains(word), "\(line)")
        }
        let good = try await read("limits: {packed: 5}", gathersFaults: true)
        try await good.tellingAllFaults { () async throws in #expect(try good.number(Self.packed) == 5) }
    }
}
