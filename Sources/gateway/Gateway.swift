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
        let settings = try GatewaySettings(configuration)
        _ = try await serverCertificate(configuration)
        try await NIOThreadPool.singleton.runIfActive {
            _ = try DistributionCatalog(plugins: settings.plugins, keys: settings.keys)
        }
    }

    /// What runs beside the HTTP server, and the server, in the order in which they stop: the server first.
    @Sendable static func services(
        _ configuration: ServiceConfiguration, _ broker: MessageBroker, _ logger: Logger
    ) async throws -> [any Service] {
        let settings = try GatewaySettings(configuration)
        let (spool, limits) = (settings.spool, settings.limits)
        if let archive = settings.archive, limits.lifetime.archiveHours != nil {
            try await NIOThreadPool.singleton.runIfActive { try checkArchive(archive, configuration) }
        }
        warnOfPlainHTTP(settings, logger)
        let store = try await NIOThreadPool.singleton.runIfActive { try TaskStore(at: settings.database) }
        try await removeAbandonedUploads(store: store, spool: spool, logger: logger)
        let active = ActiveTasks(pending: try await store.pendingTasks())
        let indexes = PackageIndexes(repositories: settings.repositories)
        let catalog = try await NIOThreadPool.singleton.runIfActive {
            try DistributionCatalog(plugins: settings.plugins, keys: settings.keys)
        }
        let backlog = QueueBacklog(limit: settings.maxQueued)
        let clients = ClientLimiter(settings.clients)
        let openFiles = raiseOpenFileLimit()
        let most = mostConnections(settings, openFiles: openFiles)
        if most < settings.maxConnections {
            logger.warning(
                "the system lets this process open too few files for limits.connections",
                metadata: ["files": "\(openFiles)", "connections": "\(most)"])
        }
        let cap = connectionCap(settings, openFiles: openFiles, clients)
        let dependencies = GatewayDependencies(
            store: store, active: active, spool: spool, limits: limits, access: settings.access, clients: clients,
            backlog: backlog,
            mirrors: {
                do {
                    return try await NIOThreadPool.singleton.runIfActive { try mirroredReleases(indexes) }
                } catch {
                    logger.error("the mirrored releases cannot be listed: \(error)")
                    return []
                }
            },
            submit: { ingestReplies(to: $0, through: broker, limits: limits) },
            isIngestServed: { await isIngestServed(by: broker, logger: logger) },
            knowsPackage: { question in
                try await NIOThreadPool.singleton.runIfActive { try isKnown(question, to: indexes, catalog) }
            },
            repositories: settings.isRepositoryPublic ? indexes.repositories : nil, logger: logger)
        let router = try buildRouter(dependencies)
        let host = settings.host
        let certificate = try await serverCertificate(configuration)
        let server = Application(
            router: router,
            server: .http(
                limits: settings.connections, certificate: certificate, quick: try quickResponder(dependencies),
                cap: cap),
            // Clients that come at once wait in the kernel, as many as net.core.somaxconn lets; a dropped one would try
            // again only after a second.
            configuration: .init(address: .hostname(host, port: settings.port), serverName: "retrace", backlog: 4096),
            onServerRunning: { channel in
                logger.notice("listening", metadata: ["address": "\(channel.localAddress.map { "\($0)" } ?? host)"])
            },
            logger: logger)
        let sweeper = TaskSweeper(
            dependencies: dependencies, archive: settings.archive, pause: .seconds(300), logger: logger)
        var services: [any Service] = [
            EventRecorder(broker: broker, store: store, active: active, logger: logger), sweeper,
            QueueWatch(broker: broker, backlog: backlog, logger: logger),
        ]
        if let certificate {
            services.append(
                CertificateWatch(certificate: certificate, interval: settings.certificateReload, logger: logger))
        }
        return services + [server]
    }

    /// What is sent in the clear to an address that is not this machine's own can be read on the way.
    private static func warnOfPlainHTTP(_ settings: GatewaySettings, _ logger: Logger) {
        let isLocal = settings.host == "localhost" || settings.host == "::1" || settings.host.hasPrefix("127.")
        guard !isLocal, settings.access.listener == .plain, !settings.access.requireHTTPS else { return }
        logger.warning(
            "crashes and passwords cross the network unencrypted: set http.tls.certificate, or http.trustedproxies and http.requirehttps for a proxy that speaks HTTPS",
            metadata: ["http.host": "\(settings.host)"])
    }

    static func gatewayLimits(_ configuration: ServiceConfiguration) throws -> GatewayLimits {
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
