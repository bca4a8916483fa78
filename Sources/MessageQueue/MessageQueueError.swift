/// Why the broker, or the way to it, could not do what was asked.
package struct MessageQueueError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: Code
    /// One sentence for the operator; it holds no password.
    package let message: String

    /// What went wrong, as a word that programs can compare.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        /// The address of the broker is not written as one.
        case invalidAddress = "invalid-address"
        /// Nothing answers AMQP at the address.
        case unreachable
        /// The broker knows neither user nor password, or the user may not use the virtual host.
        case accessRefused = "access-refused"
        /// The handshake of TLS failed, or one of its files cannot be used.
        case tls
        /// A queue or exchange exists already, with other arguments.
        case topologyMismatch = "topology-mismatch"
        /// The queue or exchange does not exist.
        case notFound = "not-found"
        /// A mandatory message reached no queue.
        case unroutable
        /// The broker refused the message (basic.nack), for instance because the queue is full.
        case rejected
        /// The broker has raised an alarm (disk or memory) and takes no messages.
        case blocked
        /// No answer came in time; the message may or may not have been taken.
        case timedOut = "timed-out"
        /// The connection on which this happened is gone. A delivery of it is void: the broker delivers it again.
        case connectionLost = "connection-lost"
        /// The message cannot be sent: a name or property is longer than AMQP allows (255 bytes).
        case invalidMessage = "invalid-message"
        /// The ``MessageBroker`` was closed.
        case closed
        /// The broker or the library did something that the protocol does not allow.
        case protocolViolation = "protocol-violation"
    }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }

    /// Whether the same call may succeed later without anybody changing a configuration.
    package var isTransient: Bool {
        switch code {
        case .unreachable, .rejected, .blocked, .timedOut, .connectionLost: true
        case .invalidAddress, .accessRefused, .tls, .topologyMismatch, .notFound, .unroutable, .invalidMessage, .closed,
            .protocolViolation:
            false
        }
    }
}
