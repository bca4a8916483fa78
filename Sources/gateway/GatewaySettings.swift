import GatewayAPI
import HTTPConnections
import ServiceRuntime
import SystemPackage

/// Everything that the gateway reads of its settings, once, whether it runs or is only asked if they are good.
///
/// The certificate and the plugins are files of their own and read apart.
struct GatewaySettings: Sendable {
    let spool: FilePath
    let database: FilePath
    let repositories: FilePath
    let plugins: FilePath
    let keys: FilePath
    let host: String
    let port: Int
    let limits: GatewayLimits
    let access: AccessRule
    let clients: ClientLimits
    let connections: ConnectionLimits
    let maxConnections: Int
    let maxQueued: Int
    let certificateReload: Duration
    let archive: FilePath?
    let isRepositoryPublic: Bool

    /// - Throws: ``ServiceRuntime/ConfigurationRefusal``.
    init(_ configuration: ServiceConfiguration) throws {
        spool = try configuration.path(.spool)
        database = try configuration.path(.database)
        repositories = try configuration.path(.repositories)
        plugins = try configuration.path(.plugins)
        keys = try configuration.path(.keys)
        host = try configuration.required(.httpHost)
        port = try configuration.number(.httpPort, in: 0...65535) ?? 8181
        limits = try Gateway.gatewayLimits(configuration)
        access = try Gateway.accessRule(configuration)
        clients = try Gateway.clientLimits(configuration)
        connections = try Gateway.connectionLimits(configuration, uploads: limits)
        maxConnections = try configuration.number(.connections, in: 1...1_000_000) ?? 4096
        maxQueued = try configuration.number(.maxQueued, in: 1...1_000_000) ?? 1000
        certificateReload = .seconds(try configuration.number(.certificateReload, in: 1...86400) ?? 10)
        archive = try configuration.archive()
        isRepositoryPublic = try configuration.flag(.publicRepositories)
    }
}
