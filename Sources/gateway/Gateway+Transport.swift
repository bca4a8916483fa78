import GatewayAPI
import HTTPConnections
import NIOPosix
import ServiceRuntime

extension Gateway {
    /// - Parameter uploads: By which the connections are told how much of an unwanted body is worth reading.
    static func connectionLimits(
        _ configuration: ServiceConfiguration, uploads: GatewayLimits
    ) throws -> ConnectionLimits {
        let usual = ConnectionLimits()
        let mebibytes = max(uploads.maxPackedMebibytes, uploads.maxKernelDumpMebibytes ?? 0)
        func seconds(_ key: ConfigurationKey, _ usual: Duration) throws -> Duration {
            try configuration.number(key, in: 1...86400).map { .seconds($0) } ?? usual
        }
        return ConnectionLimits(
            headTimeout: try seconds(.headTimeout, usual.headTimeout),
            bodyTimeout: try seconds(.bodyTimeout, usual.bodyTimeout),
            keepAliveTimeout: try seconds(.keepAliveTimeout, usual.keepAliveTimeout),
            writeTimeout: try seconds(.writeTimeout, usual.writeTimeout),
            minBodyPace: try configuration.number(.minPace, in: 0...(1 << 20)).map { $0 << 10 } ?? usual.minBodyPace,
            maxHeadBytes: try configuration.number(.maxHeadSize, in: 4...1024).map { $0 << 10 } ?? usual.maxHeadBytes,
            // One that is twice too large still reads that it is.
            maxDrainedBytes: mebibytes << 21)
    }

    static func clientLimits(_ configuration: ServiceConfiguration) throws -> ClientLimits {
        let (usual, most) = (ClientLimits(), 1_000_000)
        return ClientLimits(
            tasksPerHour: try configuration.number(.clientTasks, in: 1...most) ?? usual.tasksPerHour,
            parallelUploads: try configuration.number(.clientUploads, in: 1...most) ?? usual.parallelUploads,
            wrongPasswordsPerHour: try configuration.number(.clientPasswords, in: 1...most)
                ?? usual.wrongPasswordsPerHour,
            sharePercent: try configuration.number(.clientShare, in: 1...100) ?? usual.sharePercent,
            connections: try configuration.number(.clientConnections, in: 1...most) ?? usual.connections,
            exempt: try ranges(.clientExempt, configuration))
    }

    /// How many connections there may be at a time: no more than there are descriptors for, two for each, because one that
    /// brings an upload or fetches a result has that file open; and some for the database and the broker.
    ///
    /// - Parameter openFiles: How many descriptors the process may have.
    static func mostConnections(_ settings: GatewaySettings, openFiles: Int) -> Int {
        min(settings.maxConnections, max(64, openFiles / 2 - 128))
    }

    /// The cap of connections by ``mostConnections(_:openFiles:)`` and by what one client may have.
    static func connectionCap(
        _ settings: GatewaySettings, openFiles: Int, _ clients: ClientLimiter
    ) -> ConnectionCap {
        let access = settings.access
        return ConnectionCap(
            limit: mostConnections(settings, openFiles: openFiles), limitPerClient: clients.limits.connections
        ) { address in
            guard let client = ClientAddress(address), !access.isTrusted(client) else { return .shared }
            return clients.number(of: client).map { .client($0) } ?? .exempt
        }
    }

    static func accessRule(_ configuration: ServiceConfiguration) throws -> AccessRule {
        let rule = AccessRule(
            requireHTTPS: try configuration.flag(.requireHTTPS),
            listener: configuration.text(.httpCertificate) == nil ? .plain : .tls,
            trustedProxies: try ranges(.trustedProxies, configuration))
        guard rule.requireHTTPS, rule.listener == .plain, rule.trustedProxies.isEmpty else { return rule }
        return try configuration.refuse(
            configuration.refusal(
                .requireHTTPS,
                "would refuse every upload and result: set http.tls.certificate, or http.trustedproxies for a proxy that "
                    + "speaks HTTPS"), goingOnWith: rule)
    }

    static func serverCertificate(_ configuration: ServiceConfiguration) async throws -> ServerCertificate? {
        guard configuration.text(.httpCertificate) != nil else { return nil }
        let (certificate, key) = (try configuration.path(.httpCertificate), try configuration.path(.httpKey))
        do {
            return try await NIOThreadPool.singleton.runIfActive {
                try ServerCertificate(certificate: certificate, key: key)
            }
        } catch let fault as CertificateFault {
            throw configuration.refusal(.httpCertificate, "cannot be used: \(fault)")
        }
    }

    private static func ranges(
        _ key: ConfigurationKey, _ configuration: ServiceConfiguration
    ) throws(ConfigurationRefusal) -> [AddressRange] {
        guard let text = configuration.text(key) else { return [] }
        guard let ranges = AddressRange.list(text) else {
            return try configuration.refuse(
                configuration.refusal(
                    key, "is not a list of IP addresses and ranges such as 192.0.2.7, 2001:db8::/32"), goingOnWith: [])
        }
        return ranges
    }
}
