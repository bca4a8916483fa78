/// What is sent, and where to.
package struct OutgoingMessage: Hashable, Sendable {
    /// The exchange; empty for the default one, whose routing keys are the names of queues.
    package var exchange: String
    package var routingKey: String
    package var body: [UInt8]
    package var properties: MessageProperties
    /// Whether a message that reaches no queue is an error (`unroutable`) or is dropped.
    package var isMandatory: Bool

    package init(
        exchange: String, routingKey: String, body: [UInt8], properties: MessageProperties = MessageProperties(),
        isMandatory: Bool = true
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.body = body
        self.properties = properties
        self.isMandatory = isMandatory
    }

    /// A job for a stage.
    package static func job(
        _ body: [UInt8], for stage: String, properties: MessageProperties = MessageProperties()
    ) -> OutgoingMessage {
        OutgoingMessage(exchange: QueueNames.jobs, routingKey: stage, body: body, properties: properties)
    }

    /// An event; it is no error when nobody listens.
    package static func event(_ body: [UInt8], routingKey: String) -> OutgoingMessage {
        OutgoingMessage(exchange: QueueNames.events, routingKey: routingKey, body: body, isMandatory: false)
    }

    /// A job that comes back to its stage after `delay`.
    ///
    /// Messages leave the queue of retries in their order: one that waits longer holds up those behind it.
    package static func retry(
        _ body: [UInt8], for stage: String, after delay: Duration, properties: MessageProperties = MessageProperties()
    ) -> OutgoingMessage {
        var properties = properties
        properties.expiration = delay
        return OutgoingMessage(
            exchange: "", routingKey: QueueNames.retry(for: stage), body: body, properties: properties)
    }
}

/// The properties of a message that we use (AMQP 0-9-1, class basic). Texts are at most 255 bytes of UTF-8.
package struct MessageProperties: Hashable, Sendable {
    package var contentType: String
    /// Which request a reply belongs to.
    package var correlationID: String?
    /// The queue for replies.
    package var replyTo: String?
    /// After how long a message that nobody took expires.
    package var expiration: Duration?
    /// What the body is, such as `IngestJob`.
    package var type: String?
    /// Survives a restart of the broker.
    package var isPersistent: Bool
    /// Headers with text as value; other kinds are read as their text.
    package var headers: [String: String]

    package init(
        contentType: String = "application/json", correlationID: String? = nil, replyTo: String? = nil,
        expiration: Duration? = nil, type: String? = nil, isPersistent: Bool = true, headers: [String: String] = [:]
    ) {
        self.contentType = contentType
        self.correlationID = correlationID
        self.replyTo = replyTo
        self.expiration = expiration
        self.type = type
        self.isPersistent = isPersistent
        self.headers = headers
    }
}
