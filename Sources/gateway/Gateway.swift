import Distributions
import GatewayAPI
import HTTPConnections
import Hummingbird
import Logging
import MessageQueue
import NIOPosix
import Packages
import ServiceLifecycle
import ServiceRuntime
import SystemPackage
import TaskStorage

@main
struct Gateway {
    static func main() async {
        let command = ServiceCommand(
            name: "gateway", abstract: "speaks the HTTP API and keeps the database of tasks",
            keys: ConfigurationKey.ofGateway, runsJobs: false)
        await command.runServices(checking: check, services)
    }

    /// Reads what ``services(_:_:_:)`` reads of the settings, and opens no database.
    @Sendable static func check(_ configuration: ServiceConfiguration) async throws {
        for key in [ConfigurationKey.spool, .database, .repositories] { _ = try configuration.path(key) }
        _ = (
            try gatewayLimits(configuration), try accessRule(configuration), try configuration.flag(.publicRepositories)
        )
        _ = try configuration.number(.httpPort, in: 0...65535)
        _ = (try connectionLimits(configuration), try clientLimits(configuration))
        _ = try await serverCertificate(configuration)
        try await NIOThreadPool.singleton.runIfActive {
            _ = try DistributionCatalog(plugins: configuration.path(.plugins), keys: configuration.path(.keys))
        }
    }

    /// What runs beside the HTTP server, and the server, in the order in which they stop: the server first.
    @Sendable static func services(
        _ configuration: ServiceConfiguration, _ broker: MessageBroker, _ logger: Logger
    ) async throws -> [any Service] {
        let spool = try configuration.path(.spool)
        let database = try configuration.path(.database)
        let store = try await NIOThreadPool.singleton.runIfActive { try TaskStore(at: database) }
        try await removeAbandonedUploads(store: store, spool: spool, logger: logger)
        let active = ActiveTasks(pending: try await store.pendingTasks())
        let indexes = PackageIndexes(repositories: try configuration.path(.repositories))
        let catalog = try await NIOThreadPool.singleton.runIfActive {
            try DistributionCatalog(plugins: configuration.path(.plugins), keys: configuration.path(.keys))
        }
        let limits = try gatewayLimits(configuration)
        let backlog = QueueBacklog(limit: try configuration.number(.maxQueued, in: 1...1_000_000) ?? 1000)
        let dependencies = GatewayDependencies(
            store: store, active: active, spool: spool, limits: limits, access: try accessRule(configuration),
            clients: ClientLimiter(try clientLimits(configuration)), backlog: backlog,
            mirrors: {
                do {
                    return try await NIOThreadPool.singleton.runIfActive { try mirroredReleases(indexes) }
                } catch {
                    logger.error("the mirrored releases cannot be listed: \(error)")
                    return []
                }
            },
            submit: { ingestReplies(to: $0, through: broker, limits: limits) },
            knowsPackage: { question in
                try await NIOThreadPool.singleton.runIfActive { try isKnown(question, to: indexes, catalog) }
            },
            repositories: try configuration.flag(.publicRepositories) ? indexes.repositories : nil, logger: logger)
        let router = try buildRouter(dependencies)
        let host = try configuration.required(.httpHost)
        let port = try configuration.number(.httpPort, in: 0...65535) ?? 8181
        let certificate = try await serverCertificate(configuration)
        let server = Application(
            router: router,
            server: .http(
                limits: try connectionLimits(configuration), certificate: certificate,
                quick: try quickResponder(dependencies)),
            // Clients that come at once wait in the kernel, as many as net.core.somaxconn lets; a dropped one would try
            // again only after a second.
            configuration: .init(address: .hostname(host, port: port), serverName: "retrace", backlog: 4096),
            onServerRunning: { channel in
                logger.notice("listening", metadata: ["address": "\(channel.localAddress.map { "\($0)" } ?? host)"])
            },
            logger: logger)
        let sweeper = TaskSweeper(
            dependencies: dependencies, archive: configuration.text(.archive).map { FilePath($0) },
            pause: .seconds(300), logger: logger)
        var services: [any Service] = [
            EventRecorder(broker: broker, store: store, active: active, logger: logger), sweeper,
            QueueWatch(broker: broker, backlog: backlog, logger: logger),
        ]
        if let certificate {
            let seconds = try configuration.number(.certificateReload, in: 1...86400) ?? 10
            services.append(CertificateWatch(certificate: certificate, interval: .seconds(seconds), logger: logger))
        }
        return services + [server]
    }

    private static func gatewayLimits(_ configuration: ServiceConfiguration) throws -> GatewayLimits {
        let mebibytes = 1...(1 << 30)
        var limits = GatewayLimits()
        limits.maxParallelTasks = try configuration.number(.maxParallelTasks, in: 1...1_000_000) ?? 100
        limits.maxPackedMebibytes = try configuration.number(.maxPackedSize, in: mebibytes) ?? 1024
        limits.maxUnpackedMebibytes = try configuration.number(.maxUnpackedSize, in: mebibytes) ?? 8192
        limits.maxKernelDumpMebibytes = try configuration.number(.maxKernelDumpSize, in: mebibytes)
        limits.serverDumps = try serverDumps(configuration)
        limits.minFreeMebibytes = try configuration.number(.minStorageLeft, in: 0...(1 << 30)) ?? 1024
        limits.uploadTimeout = .seconds(try configuration.number(.uploadTimeout, in: 1...604_800) ?? 3600)
        limits.allowMetrics = try configuration.flag(.metrics)
        limits.allowDelete = try configuration.flag(.allowDelete)
        limits.allowInteractive = try configuration.flag(.allowInteractive)
        limits.lifetime = try configuration.taskLifetime()
        return limits
    }

    private static func serverDumps(_ configuration: ServiceConfiguration) throws -> [FilePath] {
        let paths = (configuration.text(.serverDumps) ?? "").split(separator: ",").map { $0.drop { $0 == " " } }
        guard paths.allSatisfy({ $0.hasPrefix("/") && $0 != "/" }) else {
            return try configuration.refuse(
                configuration.refusal(.serverDumps, "must be absolute paths of directories, with commas between"),
                goingOnWith: [])
        }
        return paths.map { FilePath(String($0)) }
    }
}
