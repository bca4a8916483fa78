import CrashModel
import Glibc
package import JobMessages
package import Logging
package import MessageQueue
package import ServiceLifecycle
import SystemPackage
import UnixSignals

/// How a command ended, as sysexits(3) numbers it.
package enum ExitStatus: Int32, Sendable {
    case success = 0
    case usage = 64
    case badData = 65
    case unavailable = 69
    case internalError = 70
    case configuration = 78
}

extension ServiceCommand {
    /// Runs a service with one queue of jobs, or one job of it from a file, and ends the process.
    ///
    /// - Parameters:
    ///   - beside: What it does again and again beside its jobs, by its settings; not when it runs one job of a file.
    ///   - build: Makes the handler from the settings: opens the catalogue, the index and what else the stage needs. Throws
    ///     ``ConfigurationRefusal`` and the like, whose text the operator reads.
    package func runWorker<Job: JobMessage>(
        _ type: Job.Type,
        beside: @Sendable (ServiceConfiguration, Logger) throws -> [RegularWork] = { _, _ in [] },
        _ build: @Sendable (ServiceConfiguration, Logger) async throws -> JobHandler<Job>
    ) async -> Never {
        await end { request throws in
            switch request {
            case .serve(let options):
                try await serve(options) { configuration, broker, logger in
                    let handler = try await build(configuration, logger)
                    let settings = try configuration.workerSettings()
                    let queue = try configuration.routingKey(.queue, of: Job.stage) ?? Job.stage.rawValue
                    let worker = JobWorker(
                        on: broker, settings: settings, logger: logger, routingKey: queue, handler: handler)
                    return [worker as any Service] + (try beside(configuration, logger)).map(RegularService.init)
                }
            case .replay(let file, let options):
                let (configuration, logger) = try await start(options)
                let handler = try await build(configuration, logger)
                return try await replay(jobIn: file, handler, logger)
            case .checkConfiguration(let options):
                try await check(options) { configuration, logger in
                    _ = (try configuration.workerSettings(), try configuration.routingKey(.queue, of: Job.stage))
                    _ = try beside(configuration, logger)
                    _ = try await build(configuration, logger)
                }
            case .help, .version, .printConfiguration: break
            }
            return .success
        }
    }

    /// As the other `runWorker`, for a service that takes jobs from a second queue besides: a long job of the one does not
    /// keep the other waiting.
    ///
    /// - Parameter build: Makes both handlers; `worker.queue` is about the first.
    package func runWorkers<First: JobMessage, Second: JobMessage>(
        _ first: First.Type, _ second: Second.Type,
        _ build: @Sendable (ServiceConfiguration, Logger) async throws -> (JobHandler<First>, JobHandler<Second>)
    ) async -> Never {
        await end { request throws in
            switch request {
            case .serve(let options):
                try await serve(options) { configuration, broker, logger in
                    let (one, other) = try await build(configuration, logger)
                    let settings = try configuration.workerSettings()
                    let queue = try configuration.routingKey(.queue, of: First.stage) ?? First.stage.rawValue
                    return [
                        JobWorker(on: broker, settings: settings, logger: logger, routingKey: queue, handler: one),
                        JobWorker(
                            on: broker, settings: settings, logger: logger, routingKey: Second.stage.rawValue,
                            handler: other),
                    ]
                }
            case .replay(let file, let options):
                let (configuration, logger) = try await start(options)
                let (one, other) = try await build(configuration, logger)
                do {
                    return try await replay(jobIn: file, one, logger)
                } catch is UndecodableMessage {
                    return try await replay(jobIn: file, other, logger)
                }
            case .checkConfiguration(let options):
                try await check(options) { configuration, logger in
                    _ = (try configuration.workerSettings(), try configuration.routingKey(.queue, of: First.stage))
                    _ = try await build(configuration, logger)
                }
            case .help, .version, .printConfiguration: break
            }
            return .success
        }
    }

    /// Runs services of any kind, such as the gateway's, and ends the process.
    ///
    /// - Parameters:
    ///   - check: Reads every setting and changes nothing, for `--check-config`.
    ///   - build: Makes the services; those that others need come first. The broker is connected already.
    package func runServices(
        checking check: @Sendable (ServiceConfiguration) async throws -> Void,
        _ build: @Sendable (ServiceConfiguration, MessageBroker, Logger) async throws -> [any Service]
    ) async -> Never {
        await end { request throws in
            switch request {
            case .serve(let options): try await serve(options, build)
            case .replay: throw ConfigurationRefusal("\(name) runs no jobs, so that --job means nothing to it")
            case .checkConfiguration(let options):
                try await self.check(options) { configuration, _ in try await check(configuration) }
            case .help, .version, .printConfiguration: break
            }
            return .success
        }
    }

    /// Reads the settings with `body`, and tells all that is wrong with them at once.
    private func check(
        _ options: Options, _ body: (ServiceConfiguration, Logger) async throws -> Void
    ) async throws {
        let configuration = try await configuration(options, gathersFaults: true)
        try await configuration.tellingAllFaults {
            try await body(configuration, try logger(configuration))
        }
    }

    private func configuration(
        _ options: Options, gathersFaults: Bool = false
    ) async throws(ConfigurationRefusal) -> ServiceConfiguration {
        try await ServiceConfiguration(
            name: name, keys: allKeys, options: options.values, environment: Self.environment(), file: options.file,
            gathersFaults: gathersFaults)
    }

    private func start(_ options: Options) async throws -> (ServiceConfiguration, Logger) {
        let configuration = try await configuration(options)
        return (configuration, try logger(configuration))
    }

    /// The logger of the whole process. It is only made when the settings that every service has are good.
    private func logger(_ configuration: ServiceConfiguration) throws(ConfigurationRefusal) -> Logger {
        let level = try configuration.logLevel()
        _ = try configuration.brokerAddress()
        LoggingSystem.bootstrap { _ in StderrLogHandler(service: name, level: level) }
        return Logger(label: name)
    }

    private func serve(
        _ options: Options,
        _ build: (ServiceConfiguration, MessageBroker, Logger) async throws -> [any Service]
    ) async throws {
        let (configuration, logger) = try await start(options)
        let shared = Stage.allCases.map(\.rawValue)
        let own = queueKeys.compactMap { configuration.text($0) }.filter { !shared.contains($0) }
        let broker = try MessageBroker(
            configuration.brokerAddress(), topology: .retrace(stages: shared + own), name: name, logger: logger)
        do {
            try await broker.connect(within: .seconds(60))
            let services = try await build(configuration, broker, logger)
            logger.notice("\(name) \(retraceVersion) runs", metadata: ["broker": "\(broker.address)"])
            let group = ServiceGroup(
                configuration: .init(
                    services: ([BrokerService(broker: broker)] + services).map { .init(service: $0) },
                    gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
            try await group.run()
        } catch {
            await broker.close()
            throw error
        }
        await broker.close()
        logger.notice("\(name) has stopped")
    }

    /// Parses the arguments, does what they ask for, and turns what was thrown into a sentence and an exit status.
    private func end(_ body: (Request) async throws -> ExitStatus) async -> Never {
        var status = ExitStatus.success
        do {
            let request: Request
            do {
                request = try parse(Array(CommandLine.arguments.dropFirst()))
            } catch {
                status = .usage
                throw error
            }
            switch request {
            case .help: print(help)
            case .version: print("\(name) \(retraceVersion)")
            case .printConfiguration: print(defaultSettings)
            case .checkConfiguration:
                status = try await body(request)
                print("\(name): the settings are good")
            case .serve, .replay: status = try await body(request)
            }
        } catch {
            if status == .success { status = Self.status(of: error) }
            // A stage's error names its stage itself.
            Self.complain(error is StageError ? "\(error)" : "\(name): \(error)")
            if let advice = (error as? StageError)?.advice { Self.complain(advice) }
        }
        fflush(nil)
        exit(status.rawValue)
    }

    private static func status(of error: any Error) -> ExitStatus {
        switch error {
        case is ConfigurationRefusal: .configuration
        case is StageError, is UndecodableMessage: .badData
        case let error as MessageQueueError:
            error.code == .invalidAddress || error.code == .accessRefused || error.code == .tls
                ? .configuration : .unavailable
        default: .internalError
        }
    }

    static func complain(_ sentence: String) {
        let line = Array((sentence + "\n").utf8)
        // Nowhere is left to say that standard error cannot be written.
        _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }

    private static func environment() -> [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let variable = entry.pointee {
            let parts = String(cString: variable).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
            entry = entry.advanced(by: 1)
        }
        return result
    }
}

/// Closes the broker when everything that uses it has stopped; it stands first in the group for that.
struct BrokerService: Service {
    let broker: MessageBroker

    func run() async throws {
        try? await gracefulShutdown()
        await broker.close()
    }
}
