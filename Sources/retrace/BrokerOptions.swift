import ArgumentParser
import CrashModel
import JobMessages
import Logging
import MessageQueue
import RetraceClient
import ServiceRuntime
import SystemPackage

/// Which broker, for the commands that operators use.
struct BrokerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The broker as amqp[s]://user:password@host:port/vhost (RETRACE_AMQP_URL, which other users cannot see).",
            valueName: "url"))
    var amqpURL: String?

    @Option(
        help: ArgumentHelp(
            "A file with the same amqp keys as the services' (default: /etc/retrace/retrace.yaml, if it is there).",
            valueName: "file"))
    var config: String?

    /// The settings that say which broker.
    static let keys: [ConfigurationKey] = [
        .amqpURL, .amqpHost, .amqpPort, .amqpUser, .amqpPassword, .amqpPasswordFile, .amqpVirtualHost, .amqpHeartbeat,
        .tlsAuthority, .tlsCertificate, .tlsKey,
    ]

    /// Every setting that may stand in the command's own file.
    static let keysOfTheFile: [ConfigurationKey] = keys + [.plugins, .keys, .spool]

    /// Connects, runs the work and closes the connection.
    ///
    /// - Parameter topology: What is declared, so that it need not exist yet.
    func run(_ topology: Topology, _ work: (MessageBroker) async throws -> Void) async throws {
        var logger = Logger(label: "retrace") { _ in StderrLogHandler(service: "retrace", level: .critical) }
        logger.logLevel = .critical
        let broker = try MessageBroker(
            try await configuration().brokerAddress(), topology: topology, name: "retrace", logger: logger)
        do {
            try await broker.connect(within: .seconds(5))
            try await work(broker)
            await broker.close()
        } catch {
            await broker.close()
            throw error
        }
    }

    private func configuration() async throws(ConfigurationRefusal) -> ServiceConfiguration {
        let variables = Self.keys.compactMap { key in Console.variable(key.variable).map { (key.variable, $0) } }
        return try await ServiceConfiguration(
            name: "retrace", keys: Self.keysOfTheFile, options: amqpURL.map { [.amqpURL: $0] } ?? [:],
            environment: Dictionary(variables) { first, _ in first }, file: config.map { FilePath($0) })
    }
}

/// The stages' queues and exchanges, as every service declares them.
let servicesTopology = Topology.retrace(stages: Stage.allCases.map(\.rawValue))
