/// A message that the broker has handed to us and that it holds until we say what became of it.
package struct Delivery: Sendable {
    package let body: [UInt8]
    package let properties: MessageProperties
    package let exchange: String
    package let routingKey: String
    /// The broker handed it out before, and nobody settled it.
    package let isRedelivered: Bool
    private let settlement: @Sendable (Settlement) async throws(MessageQueueError) -> Void
    private let validity: @Sendable () -> Bool
    /// Gives it back to its queue without a task, on the connection's own thread.
    var giveBack: @Sendable (ConnectionLoop) -> Void = { _ in }

    /// What becomes of a delivery.
    package enum Settlement: Hashable, Sendable {
        /// It is done, and the broker forgets it.
        case acknowledged
        /// The broker hands it out again.
        case requeued
        /// It becomes a dead letter.
        case rejected
    }

    /// - Parameters:
    ///   - settlement: Tells the broker; throws `connectionLost` when the delivery is void.
    ///   - validity: Whether the connection that brought it still stands.
    package init(
        body: [UInt8], properties: MessageProperties = MessageProperties(), exchange: String = "",
        routingKey: String = "", isRedelivered: Bool = false, validity: @escaping @Sendable () -> Bool = { true },
        settlement: @escaping @Sendable (Settlement) async throws(MessageQueueError) -> Void
    ) {
        self.body = body
        self.properties = properties
        self.exchange = exchange
        self.routingKey = routingKey
        self.isRedelivered = isRedelivered
        self.validity = validity
        self.settlement = settlement
    }

    /// The connection that brought it is gone: settling it throws `connectionLost`, and it will come again.
    package var isVoid: Bool { !validity() }

    /// Tells the broker that the message is done.
    ///
    /// - Throws: `connectionLost` when the delivery is void. That is harmless: the broker delivers it again.
    package func ack() async throws(MessageQueueError) { try await settlement(.acknowledged) }

    /// Gives the message back to its queue, or makes it a dead letter. Throws as ``ack()`` does.
    package func reject(requeue: Bool) async throws(MessageQueueError) {
        try await settlement(requeue ? .requeued : .rejected)
    }
}
