/// Where the broker is and who we are to it.
package struct BrokerAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int
    package var user: String
    /// Never printed: ``description`` leaves it out.
    package var password: String
    package var virtualHost: String
    /// nil for a connection in plain text.
    package var tls: BrokerTLS?
    /// How long either side may be silent before the other takes it for dead; whole seconds, at least one.
    package var heartbeat: Duration

    package init(
        host: String = "127.0.0.1", port: Int = 5672, user: String = "guest", password: String = "guest",
        virtualHost: String = "/", tls: BrokerTLS? = nil, heartbeat: Duration = .seconds(10)
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.virtualHost = virtualHost
        self.tls = tls
        self.heartbeat = heartbeat
    }

    /// Reads `amqp[s]://[user[:password]@]host[:port][/virtual-host]` (RabbitMQ's URI specification).
    ///
    /// Reserved characters are percent-encoded. `amqps` gives a ``BrokerTLS`` with the system's authorities.
    ///
    /// - Throws: ``MessageQueueError`` with code `invalidAddress`; its sentence does not repeat the text, which may hold
    ///   a password.
    package init(url text: String) throws(MessageQueueError) {
        func invalid(_ problem: String) -> MessageQueueError {
            MessageQueueError(
                .invalidAddress,
                "the broker's URL \(problem); it is written amqp://user:password@host:5672/virtual-host")
        }
        let scheme: Substring
        var rest: Substring
        guard let range = text.firstRange(of: "://") else {
            throw invalid("has no scheme")
        }
        scheme = text[..<range.lowerBound]
        rest = text[range.upperBound...]
        guard scheme == "amqp" || scheme == "amqps" else { throw invalid("starts neither with amqp:// nor amqps://") }
        self.init(tls: scheme == "amqps" ? BrokerTLS() : nil)
        if let slash = rest.firstIndex(of: "/") {
            let path = rest[rest.index(after: slash)...]
            if !path.isEmpty {
                guard let name = Self.percentDecoded(path) else { throw invalid("has a virtual host with a bad %") }
                virtualHost = name
            }
            rest = rest[..<slash]
        }
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.percentDecoded(parts[0]) else { throw invalid("has a user with a bad %") }
            user = name
            if parts.count > 1 {
                guard let secret = Self.percentDecoded(parts[1]) else { throw invalid("has a password with a bad %") }
                password = secret
            }
            rest = rest[rest.index(after: at)...]
        }
        port = tls == nil ? 5672 : 5671
        if let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") {
            guard let number = Int(rest[rest.index(after: colon)...]), (1...65535).contains(number) else {
                throw invalid("has a port that is not a number from 1 to 65535")
            }
            port = number
            rest = rest[..<colon]
        }
        if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
        if !rest.isEmpty { host = String(rest) }
    }

    /// `amqp://user@host:port/virtual-host`, without the password.
    package var description: String {
        "\(tls == nil ? "amqp" : "amqps")://\(user)@\(host):\(port)/\(virtualHost == "/" ? "" : virtualHost)"
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = UInt8(String(Substring(digits)), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// The files of a connection over TLS, each in PEM. Peer and host name are always verified.
package struct BrokerTLS: Hashable, Sendable {
    /// The path of the authorities that may have signed the broker's certificate.
    package var certificateAuthority: String
    /// The path of our own certificate, where the broker asks for one; needs ``key``.
    package var certificate: String?
    /// The path of the private key of ``certificate``.
    package var key: String?

    /// - Parameter certificateAuthority: By default the system's authorities, where Debian and its kin keep them.
    package init(
        certificateAuthority: String = "/etc/ssl/certs/ca-certificates.crt", certificate: String? = nil,
        key: String? = nil
    ) {
        self.certificateAuthority = certificateAuthority
        self.certificate = certificate
        self.key = key
    }
}
