/// How long and how much an HTTP connection may take before it is closed.
package struct ConnectionLimits: Sendable {
    /// From the start of the connection, its TLS handshake included, or from the first byte of a later request, until the
    /// head of the request is whole. Bytes that trickle in do not extend it.
    package var headTimeout: Duration
    /// How long a client that owes the rest of a body may send nothing.
    package var bodyTimeout: Duration
    /// How long a connection is kept open between two requests.
    package var keepAliveTimeout: Duration
    /// How long a client may take nothing of a response.
    package var writeTimeout: Duration
    /// How long a client that was answered before its body was read may send nothing before it is taken to have noticed.
    package var lingerTimeout: Duration
    /// How long an unwanted body is read at all.
    package var drainTimeout: Duration
    /// The least that a client must send of a body on average, in bytes a second; 0 for no such limit. Time in which nobody
    /// here asked for more does not count.
    package var minBodyPace: Int
    /// How much longer than at that pace a body may take.
    package var paceGrace: Duration
    /// The largest head of a request, in bytes.
    package var maxHeadBytes: Int
    /// How much of an unwanted body is read and thrown away, in bytes. Most clients, ABRT's among them, look for the answer
    /// only when they have sent everything; of a body that is larger than this not more than ``maxNoticeBytes`` is read.
    package var maxDrainedBytes: Int
    /// The same for a client that looks for the answer before it goes on, which it shows by `Expect: 100-continue`.
    package var maxNoticeBytes: Int

    package init(
        headTimeout: Duration = .seconds(30), bodyTimeout: Duration = .seconds(60),
        keepAliveTimeout: Duration = .seconds(60), writeTimeout: Duration = .seconds(60),
        lingerTimeout: Duration = .seconds(5), drainTimeout: Duration = .seconds(600), minBodyPace: Int = 4096,
        paceGrace: Duration = .seconds(60), maxHeadBytes: Int = 32 << 10, maxDrainedBytes: Int = 2 << 30,
        maxNoticeBytes: Int = 8 << 20
    ) {
        self.headTimeout = headTimeout
        self.bodyTimeout = bodyTimeout
        self.keepAliveTimeout = keepAliveTimeout
        self.writeTimeout = writeTimeout
        self.lingerTimeout = lingerTimeout
        self.drainTimeout = drainTimeout
        self.minBodyPace = minBodyPace
        self.paceGrace = paceGrace
        self.maxHeadBytes = maxHeadBytes
        self.maxDrainedBytes = maxDrainedBytes
        self.maxNoticeBytes = maxNoticeBytes
    }
}

/// An outbound event: whoever answers the request is about to read its body. A client that sent `Expect: 100-continue` is
/// told to go on; for any other it does nothing.
package struct BodyWanted: Sendable {
    package init() {}
}

/// What reading a body throws when the client has sent nothing for ``ConnectionLimits/bodyTimeout``.
package struct BodyTimedOut: Error {}

/// What reading a body throws when the client stays below ``ConnectionLimits/minBodyPace``.
package struct BodyTooSlow: Error {
    /// The least pace, in bytes a second.
    package let minPace: Int
}
