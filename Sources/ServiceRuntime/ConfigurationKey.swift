/// A setting: how it is named, what it is for, and what it is when nobody sets it.
///
/// The key `amqp.tls.ca` is `--amqp-tls-ca` on the command line, `RETRACE_AMQP_TLS_CA` in the environment, and `ca:` under
/// `tls:` under `amqp:` in the YAML file.
package struct ConfigurationKey: Hashable, Sendable {
    package let name: String
    /// nil for a key that is unset unless somebody sets it.
    package let defaultValue: String?
    /// One line for `--help`.
    package let help: String
    /// Never printed.
    package let isSecret: Bool

    package init(_ name: String, default defaultValue: String?, isSecret: Bool = false, _ help: String) {
        self.name = name
        self.defaultValue = defaultValue
        self.isSecret = isSecret
        self.help = help
    }

    /// `--amqp-tls-ca`
    package var option: String { "--" + name.map { $0 == "." ? "-" : String($0) }.joined() }
    /// `RETRACE_AMQP_TLS_CA`
    package var variable: String { "RETRACE_" + name.uppercased().map { $0 == "." ? "_" : String($0) }.joined() }
}

extension ConfigurationKey {
    package static let amqpURL = Self(
        "amqp.url", default: nil, isSecret: true,
        "the broker as amqp[s]://user:password@host:port/vhost; the amqp keys below override its parts")
    package static let amqpHost = Self("amqp.host", default: nil, "the broker's host name (127.0.0.1)")
    package static let amqpPort = Self("amqp.port", default: nil, "its port (5672, with TLS 5671)")
    package static let amqpUser = Self("amqp.user", default: nil, "who we are to it (guest)")
    package static let amqpPassword = Self("amqp.password", default: nil, isSecret: true, "our password")
    package static let amqpPasswordFile = Self(
        "amqp.passwordfile", default: nil, "a file that holds the password, e.g. a systemd credential")
    package static let amqpVirtualHost = Self("amqp.vhost", default: nil, "the virtual host (/)")
    package static let amqpHeartbeat = Self("amqp.heartbeat", default: "10", "seconds between heartbeats")
    package static let tlsAuthority = Self(
        "amqp.tls.ca", default: nil, "the authorities of the broker's certificate, PEM; setting it turns TLS on")
    package static let tlsCertificate = Self("amqp.tls.certificate", default: nil, "our certificate, PEM")
    package static let tlsKey = Self("amqp.tls.key", default: nil, "the private key of our certificate, PEM")

    package static let logLevel = Self(
        "log.level", default: "info", "trace, debug, info, notice, warning, error or critical")

    package static let concurrency = Self.concurrency(default: 1)
    static func concurrency(default count: Int) -> Self {
        Self("worker.concurrency", default: String(count), "how many jobs run at a time")
    }
    package static let attempts = Self(
        "worker.attempts", default: "3", "how often a job is begun before its task fails")
    package static let queue = Self(
        "worker.queue", default: nil, "the routing key of the jobs to take, such as retrace.<host> (the stage's)")
    package static let grace = Self(
        "worker.grace", default: "20", "seconds that running jobs may go on after SIGTERM")

    package static let spool = Self("spool", default: "/var/spool/retrace", "the directory of all tasks")
    package static let repositories = Self(
        "repositories", default: "/var/lib/retrace/repositories", "the mirrors and package indexes")
    package static let store = Self("store", default: "/var/lib/retrace/store", "the package store and the roots")
    package static let plugins = Self("plugins", default: "/usr/share/retrace/plugins", "the distributions, *.yaml")
    package static let keys = Self("keys", default: "/usr/share/retrace/gpg", "the distributions' public keys")

    /// What every service reads.
    static let ofEveryService: [Self] = [
        amqpURL, amqpHost, amqpPort, amqpUser, amqpPassword, amqpPasswordFile, amqpVirtualHost, amqpHeartbeat,
        tlsAuthority, tlsCertificate, tlsKey, logLevel,
    ]
    /// What a service with a queue of jobs reads besides, and ``concurrency``.
    static let ofEveryWorker: [Self] = [attempts, queue, grace]
}
