import CrashModel
import Glibc
import Logging
import MessageQueue
import SystemPackage
import Testing

@testable import ServiceRuntime

@Suite struct ServiceConfigurationTests {
    private let keys = ConfigurationKey.ofEveryService + [.spool, .attempts]

    private func configuration(
        keys: [ConfigurationKey]? = nil, options: [ConfigurationKey: String] = [:], environment: [String: String] = [:],
        yaml: String? = nil
    ) async throws -> ServiceConfiguration {
        guard let yaml else {
            return try await ServiceConfiguration(
                name: "resolver", keys: keys ?? self.keys, options: options, environment: environment)
        }
        var template = Array("/tmp/retrace-settings-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        try #require(file >= 0)
        let path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        try FileDescriptor(rawValue: file).closeAfter {
            _ = try FileDescriptor(rawValue: file).writeAll(Array(yaml.utf8))
        }
        return try await ServiceConfiguration(
            name: "resolver", keys: keys ?? self.keys, options: options, environment: environment,
            file: FilePath(path))
    }

    @Test func serviceMayHaveADefaultNumberOfJobsOfItsOwn() async throws {
        func jobs(_ command: ServiceCommand, _ environment: [String: String] = [:]) async throws -> Int {
            try await configuration(keys: command.allKeys, environment: environment).workerSettings().concurrency
        }
        let usual = ServiceCommand(name: "resolver", abstract: "", keys: [])
        let own = ServiceCommand(name: "ingest", abstract: "", keys: [], concurrency: 2)
        #expect(try await jobs(usual) == 1)
        #expect(try await jobs(own) == 2)
        #expect(try await jobs(own, ["RETRACE_WORKER_CONCURRENCY": "5"]) == 5)
        #expect(own.help.contains("how many jobs run at a time [2]"))
    }

    @Test func commandLineWinsOverEnvironmentOverFileOverDefault() async throws {
        let yaml = "amqp:\n  host: from-file\n  port: 5679\nspool: /from/file\nlog:\n  level: debug\n"
        let configuration = try await configuration(
            options: [.amqpHost: "from-options"],
            environment: ["RETRACE_AMQP_HOST": "from-environment", "RETRACE_SPOOL": "/from/environment"], yaml: yaml)
        let address = try configuration.brokerAddress()
        #expect((address.host, address.port, address.user) == ("from-options", 5679, "guest"))
        #expect(try configuration.path(.spool) == "/from/environment")
        #expect(try configuration.logLevel() == .debug)
        #expect(try configuration.workerSettings() == WorkerSettings())
    }

    @Test func badNumberIsRefusedWithKeyAndPlace() async throws {
        let configuration = try await configuration(environment: ["RETRACE_AMQP_PORT": "99999"])
        let refusal = #expect(throws: ConfigurationRefusal.self) { try configuration.brokerAddress() }
        #expect(refusal?.description.contains("amqp.port in the environment: '99999'") == true)
    }

    @Test(arguments: ["retrace", "retrace.builder-1.example"])
    func queueOfAStageOrOfItOnOneHostIsTaken(name: String) async throws {
        let configuration = try await configuration(keys: [.queue], options: [.queue: name])
        #expect(try configuration.routingKey(.queue, of: .retrace) == name)
    }

    @Test(arguments: [
        "build", "retracer", "retrace.#", "retrace.A", "retrace.\u{e9}",
        "retrace." + String(repeating: "a", count: 100),
    ])
    func queueOfAnotherStageIsRefused(name: String) async throws {
        let configuration = try await configuration(keys: [.queue], options: [.queue: name])
        #expect(throws: ConfigurationRefusal.self) { try configuration.routingKey(.queue, of: .retrace) }
    }

    @Test func secretIsNotToldInARefusal() async throws {
        let configuration = try await configuration(environment: ["RETRACE_AMQP_URL": "http://u:hunter2@h"])
        let refusal = #expect(throws: ConfigurationRefusal.self) { try configuration.brokerAddress() }
        #expect(refusal?.description.contains("amqp.url") == true)
        #expect(refusal?.description.contains("hunter2") == false)
    }

    @Test func urlIsOverriddenInItsParts() async throws {
        let configuration = try await configuration(environment: [
            "RETRACE_AMQP_URL": "amqp://u:p@h:1/v", "RETRACE_AMQP_PORT": "2", "RETRACE_AMQP_PASSWORD": "q",
        ])
        let address = try configuration.brokerAddress()
        #expect("\(address)" == "amqp://u@h:2/v")
        #expect(address.password == "q")
    }

    @Test func authorityTurnsTLSOn() async throws {
        let configuration = try await configuration(environment: ["RETRACE_AMQP_TLS_CA": "/ca.pem"])
        let address = try configuration.brokerAddress()
        #expect(address.tls?.certificateAuthority == "/ca.pem")
        #expect(address.port == 5671)
    }

    @Test func missingNamedFileAndBadYAMLAreRefused() async throws {
        await #expect(throws: ConfigurationRefusal.self) {
            try await ServiceConfiguration(name: "resolver", keys: [], file: "/nonexistent/resolver.yaml")
        }
        await #expect(throws: ConfigurationRefusal.self) { try await configuration(yaml: "a: [1, 2\nb: }") }
    }

    @Test func unknownKeyInTheFileIsRefusedWithItsLine() async throws {
        let refusal = await #expect(throws: ConfigurationRefusal.self) {
            try await configuration(yaml: "spool: /a\namqp:\n  hots: b\n")
        }
        #expect(refusal?.description.contains("line 3: there is no setting 'amqp.hots'") == true)
    }

    @Test func argumentsAreParsedAndUnknownOnesRefused() throws {
        let command = ServiceCommand(name: "resolver", abstract: "finds packages", keys: [.spool])
        #expect(try command.parse(["--version"]) == .version)
        #expect(try command.parse(["--help", "--nonsense"]) == .help)
        let options = ServiceCommand.Options(values: [.spool: "/a", .amqpHost: "b"], file: "/c.yaml")
        #expect(try command.parse(["--spool", "/a", "--amqp-host=b", "--config", "/c.yaml"]) == .serve(options))
        #expect(try command.parse(["--job", "-"]) == .replay("-", ServiceCommand.Options()))
        for bad in [["--spol", "/a"], ["--spool"], ["stray"], ["--plugins", "/not/ours"]] {
            let refusal = #expect(throws: ConfigurationRefusal.self) { try command.parse(bad) }
            #expect(refusal?.description.contains(bad[0]) == true)
        }
    }

    @Test func helpListsEverySetting() {
        let command = ServiceCommand(name: "resolver", abstract: "finds packages", keys: [.spool, .repositories])
        for option in ["--spool", "--repositories", "--amqp-tls-ca", "--worker-attempts", "--job", "RETRACE_AMQP_HOST"]
        {
            #expect(command.help.contains(option))
        }
        #expect(command.help.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }

    @Test func printedSettingsAreReadBackAsTheDefaults() async throws {
        let unset = ConfigurationKey("tls.key", default: nil, "a key")
        let odd = ConfigurationKey("odd.text", default: "it's: 'odd' #", "text that YAML would read otherwise")
        let truth = ConfigurationKey("odd.truth", default: "false", "true or false")
        let command = ServiceCommand(
            name: "resolver", abstract: "finds packages", keys: keys.filter { $0 == .spool } + [unset, odd, truth])
        #expect(try command.parse(["--print-config"]) == .printConfiguration)
        let text = command.defaultSettings
        #expect(text.contains("\n#tls:\n#  # a key\n#  key:\n"))
        #expect(text.contains("\n  #tls:\n  #  # the authorities"))
        let configuration = try await self.configuration(keys: command.allKeys, yaml: text)
        for key in command.allKeys {
            #expect(configuration.text(key) == key.defaultValue)
        }
        // The values come from the file and not from the defaults.
        let changed = text.replacing("attempts: 3", with: "attempts: 7").replacing("truth: false", with: "truth: true")
        let other = try await self.configuration(keys: command.allKeys, yaml: changed)
        #expect(try other.workerSettings().attempts == 7)
        #expect(other.text(truth) == "true")
        // Uncommented, a section that has no defaults is one of the file.
        let section = text.replacing("#tls:\n#  # a key\n#  key:", with: "tls:\n  key: /k.pem")
        #expect(try await self.configuration(keys: command.allKeys, yaml: section).text(unset) == "/k.pem")
    }

    @Test func logLineCannotBeForged() {
        let handler = StderrLogHandler(service: "resolver", level: .info, isTerminal: false)
        let event = LogEvent(
            level: .warning, message: "bad name\nlevel=info", metadata: ["task": "1 2"], source: "", file: "",
            function: "", line: 0)
        let line = handler.text(of: event)
        #expect(!line.contains("\n"))
        #expect(line.hasSuffix(#"level=warning service=resolver message="bad name level=info" task="1 2""#))
    }
}
