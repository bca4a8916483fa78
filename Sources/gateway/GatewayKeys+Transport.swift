import ServiceRuntime

extension ConfigurationKey {
    static let trustedProxies = Self(
        "http.trustedproxies", default: nil,
        "proxies whose X-Forwarded-Proto and X-Forwarded-For are believed: addresses or ranges, such as 10.0.0.0/8, ::1"
    )
    static let certificateReload = Self(
        "http.tls.reload", default: "10",
        "seconds between looks at the two files; a changed certificate is taken at once")
    static let headTimeout = Self(
        "http.timeouts.head", default: "30", "seconds within which the head of a request must have come whole")
    static let bodyTimeout = Self(
        "http.timeouts.body", default: "60", "seconds without a byte after which an upload is given up")
    static let keepAliveTimeout = Self(
        "http.timeouts.idle", default: "60", "seconds that a connection is kept open between requests")
    static let writeTimeout = Self(
        "http.timeouts.write", default: "60", "seconds after which a client that takes nothing of an answer is cut off")
    static let uploadTimeout = Self(
        "http.timeouts.upload", default: "3600", "seconds that an upload may take as a whole")
    static let minPace = Self(
        "http.minpace", default: "4",
        "KiB a second that an upload must come with on average, a minute of grace aside; 0 for no such limit")
    static let maxHeadSize = Self("http.maxhead", default: "32", "the largest head of a request, in KiB")
    static let maxQueued = Self(
        "limits.queued", default: "1000", "jobs that wait in the broker's queues before clients get 503")
    static let connections = Self(
        "limits.connections", default: "4096",
        "connections at a time, as far as the system lets the process open files; further ones are closed at once")
    static let clientConnections = Self(
        "limits.client.connections", default: "512",
        "connections at a time from one address, trusted proxies aside; further ones are closed at once")
    static let clientTasks = Self(
        "limits.client.tasks", default: "600",
        "uploads an hour, refused ones too, from one address (an IPv6 /64) before it gets 429")
    static let clientUploads = Self(
        "limits.client.uploads", default: "20", "uploads at a time from one address before it gets 429")
    static let clientPasswords = Self(
        "limits.client.passwords", default: "100", "wrong passwords and unknown ids an hour from one address, then 429")
    static let clientShare = Self(
        "limits.client.share", default: "25",
        "percent of limits.tasks, and of the disk space for uploads, that one address may hold before it gets 429")
    static let clientExempt = Self(
        "limits.client.exempt", default: "127.0.0.0/8, ::1",
        "addresses or ranges to which limits.client does not apply; uploads and passwords that a proxy which is not trusted passed on are limited all the same"
    )

    static let ofTransport: [ConfigurationKey] = [
        trustedProxies, certificateReload, headTimeout, bodyTimeout, keepAliveTimeout, writeTimeout, uploadTimeout,
        minPace, maxHeadSize, maxQueued, connections, clientConnections, clientTasks, clientUploads, clientPasswords,
        clientShare,
        clientExempt,
    ]
}
