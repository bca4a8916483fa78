import ServiceRuntime

extension ConfigurationKey {
    static let database = Self(
        "database", default: "/var/lib/retrace/gateway/tasks.sqlite",
        "the database of tasks; only this service writes it")
    static let httpHost = Self("http.host", default: "127.0.0.1", "the address to listen on")
    static let httpPort = Self("http.port", default: "8181", "the port to listen on")
    static let httpCertificate = Self(
        "http.tls.certificate", default: nil, "our certificate with its chain, PEM; setting it turns HTTPS on")
    static let httpKey = Self("http.tls.key", default: nil, "the private key of that certificate, PEM")
    static let requireHTTPS = Self(
        "http.requirehttps", default: "false", "true refuses uploads and results over plain HTTP (RequireHTTPS)")
    static let metrics = Self(
        "http.metrics", default: "false", "true lets everybody read /metrics, for Prometheus (AllowMetrics)")
    static let maxParallelTasks = Self(
        "limits.tasks", default: "100", "uploads and tasks in work before clients get 503 (MaxParallelTasks)")
    static let maxPackedSize = Self("limits.packed", default: "1024", "the largest upload, in MiB (MaxPackedSize)")

    static let serverDumps = Self(
        "http.serverdumps", default: nil,
        "directories, with commas between, whose dumps of kernels clients on this machine may name in X-CoreFileDirectory instead of sending them (AllowExternalDir); ingest and retracer must see them under the same paths"
    )

    static let ofGateway: [ConfigurationKey] =
        [
            .spool, .repositories, .plugins, .keys, database, httpHost, httpPort, httpCertificate, httpKey,
            requireHTTPS,
            metrics, serverDumps, maxParallelTasks, maxPackedSize, .maxUnpackedSize, .maxKernelDumpSize,
            .minStorageLeft,
        ] + ofTransport + ofLifetime
}
