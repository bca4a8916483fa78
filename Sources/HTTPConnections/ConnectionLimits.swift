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
    /// How long a client that was answered before its body was read has to notice it.
    package var lingerTimeout: Duration
    /// The largest head of a request, in bytes.
    package var maxHeadBytes: Int
    /// How much of an unwanted body is read and thrown away, in bytes.
    package var maxDrainedBytes: Int

    package init(
        headTimeout: Duration = .seconds(30), bodyTimeout: Duration = .seconds(60),
        keepAliveTimeout: Duration = .seconds(60), writeTimeout: Duration = .seconds(60),
        lingerTimeout: Duration = .seconds(5), maxHeadBytes: Int = 32 << 10, maxDrainedBytes: Int = 8 << 20
    ) {
        self.headTimeout = headTimeout
        self.bodyTimeout = bodyTimeout
        self.keepAliveTimeout = keepAliveTimeout
        self.writeTimeout = writeTimeout
        self.lingerTimeout = lingerTimeout
        self.maxHeadBytes = maxHeadBytes
        self.maxDrainedBytes = maxDrainedBytes
    }
}

/// An outbound event: whoever answers the request is about to read its body. A client that sent `Expect: 100-continue` is
/// told to go on; for any other it does nothing.
package struct BodyWanted: Sendable {
    package init() {}
}

/// What reading a body throws when the client has sent nothing for ``ConnectionLimits/bodyTimeout``.
package struct BodyTimedOut: Error {}
