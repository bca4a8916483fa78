package import Logging

/// The broker, as the services see it: jobs and events go out with a confirm, deliveries come in and are settled.
///
/// Behind it are two connections, each with a thread of its own, so that a broker that holds up publishers holds up no
/// consumer. A lost connection is made again, with growing delays; the topology is declared, consumers subscribe and
/// messages without a confirm are sent anew. So messages arrive at least once.
///
/// Nothing here blocks a thread of Swift's pool.
package final class MessageBroker: Sendable {
    package let address: BrokerAddress
    private let publishing: Mailbox
    private let consuming: Mailbox

    /// Starts the two threads, which connect at once and keep trying; ``connect(within:)`` waits for them.
    ///
    /// - Parameters:
    ///   - topology: What is declared on every connection.
    ///   - name: Who we are, in the broker's list of connections: `resolver`.
    /// - Throws: `unreachable` when the system has no threads or descriptors left.
    package init(
        _ address: BrokerAddress, topology: Topology, name: String, logger: Logger
    ) throws(MessageQueueError) {
        self.address = address
        func start(_ role: ConnectionLoop.Role) throws(MessageQueueError) -> Mailbox {
            try startConnectionThread { mailbox in
                ConnectionLoop(role, address, topology: topology, name: name, mailbox: mailbox, logger: logger)
            }
        }
        publishing = try start(.publishing)
        consuming = try start(.consuming)
    }

    deinit {
        for mailbox in [publishing, consuming] { _ = mailbox.post { $0.stop(within: .zero) { _ in } } }
    }

    /// Waits until both connections stand and the topology is declared.
    ///
    /// - Parameter limit: How long to keep trying where trying helps; a broker that is not up yet is waited for.
    /// - Throws: `accessRefused`, `tls` or `topologyMismatch` at once; `unreachable` and others after `limit`.
    package func connect(within limit: Duration = .seconds(30)) async throws(MessageQueueError) {
        let deadline = ContinuousClock.now + limit
        for mailbox in [publishing, consuming] {
            try await mailbox.call { loop, answer in loop.waitUntilConnected(deadline: deadline, answer) }
        }
    }

    /// Sends a message and waits for the broker's confirm: from then on it is the broker's.
    ///
    /// - Parameter limit: How long to try, over reconnects too. After an error with `timedOut` or `connectionLost` the
    ///   message may have been taken all the same.
    /// - Throws: `unroutable` for a mandatory message without a queue, `rejected`, `blocked`, `invalidMessage`,
    ///   `timedOut`, `connectionLost`, `closed`.
    package func publish(
        _ message: OutgoingMessage, within limit: Duration = .seconds(30)
    ) async throws(MessageQueueError) {
        let deadline = ContinuousClock.now + limit
        try await publishing.call { loop, answer in loop.publish(message, deadline: deadline, answer) }
    }

    /// Takes messages from a queue until the sequence is cancelled or the broker closed.
    ///
    /// - Parameter prefetch: How many deliveries may be unsettled at a time.
    /// - Throws: `notFound` when there is no such queue.
    package func consume(_ queue: String, prefetch: Int) async throws(MessageQueueError) -> Deliveries {
        let buffer = DeliveryBuffer()
        let consuming = consuming
        let channel = try await consuming.call { loop, answer in
            loop.consume(queue, prefetch: prefetch, into: buffer, answer)
        }
        return Deliveries(buffer: buffer) {
            // After a close there is nothing to cancel.
            let cancelled: Void? = try? await consuming.call { loop, answer in loop.cancelConsumer(channel, answer) }
            if cancelled == nil { _ = buffer.end() }
        }
    }

    /// Sends a message and gives the stream of its replies; ``ReplyStream/finish()`` ends it.
    ///
    /// - Throws: As ``publish(_:within:)``, and `connectionLost` when there is no connection for the replies.
    package func request(
        _ message: OutgoingMessage, within limit: Duration = .seconds(30)
    ) async throws(MessageQueueError) -> ReplyStream {
        let correlationID = String(UInt64.random(in: .min ... .max), radix: 36)
        let replies = ReplyStream(buffer: DeliveryBuffer(), mailbox: consuming, correlationID: correlationID)
        var message = message
        message.properties.correlationID = correlationID
        message.properties.replyTo = try await consuming.call { loop, answer in
            loop.expectReplies(to: correlationID, into: replies.buffer, answer)
        }
        do throws(MessageQueueError) {
            try await publish(message, within: limit)
        } catch {
            replies.finish()
            throw error
        }
        return replies
    }

    /// Answers a request; does nothing for a delivery that asks for no reply. A requester that has gone is no error.
    package func reply(
        to request: Delivery, _ body: [UInt8], type: String? = nil, within limit: Duration = .seconds(10)
    ) async throws(MessageQueueError) {
        guard let queue = request.properties.replyTo else { return }
        let properties = MessageProperties(
            correlationID: request.properties.correlationID, type: type, isPersistent: false)
        let message = OutgoingMessage(
            exchange: "", routingKey: queue, body: body, properties: properties, isMandatory: false)
        try await publish(message, within: limit)
    }

    /// Puts a message aside for a person to look at, with the reason in the header `x-retrace-reason`, and settles it.
    package func deadLetter(_ delivery: Delivery, reason: String) async throws(MessageQueueError) {
        var properties = delivery.properties
        properties.expiration = nil
        properties.headers["x-retrace-reason"] = String(reason.prefix(1000))
        let message = OutgoingMessage(
            exchange: QueueNames.dead, routingKey: delivery.routingKey, body: delivery.body, properties: properties)
        try await publish(message)
        try await delivery.ack()
    }

    /// How much waits in a queue.
    ///
    /// - Throws: `notFound` when there is no such queue.
    package func depth(of queue: String) async throws(MessageQueueError) -> QueueDepth {
        try await publishing.call { loop, answer in loop.askDepth(of: queue, answer) }
    }

    /// Stops taking, gives back what nobody took, waits for outstanding confirms and closes. Calling it again is harmless.
    ///
    /// - Parameter limit: How long to wait for confirms.
    package func close(within limit: Duration = .seconds(5)) async {
        for mailbox in [consuming, publishing] {
            do throws(MessageQueueError) {
                try await mailbox.call { loop, answer in loop.stop(within: limit, answer) }
            } catch {
                // `closed` is the only answer to it: somebody was here before.
            }
        }
    }
}
