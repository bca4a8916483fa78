import CRabbitMQ
import Logging

/// A message of which the method has come, and its properties and body come in further frames.
struct IncompleteMessage {
    enum Method {
        case delivery(tag: UInt64, isRedelivered: Bool)
        case returned(reason: String)
    }

    /// The largest body that is taken, in bytes; jobs are small, bulk stays on disk.
    static let bodyLimit: UInt64 = 64 << 20

    let method: Method
    let exchange: String
    let routingKey: String
    var properties = MessageProperties()
    var messageID = ""
    /// nil until the header has come.
    var bodySize: UInt64?
    var received: UInt64 = 0
    var body: [UInt8] = []
}

extension ConnectionLoop {
    /// Reads what has arrived, without waiting.
    func readFrames() {
        while let connection {
            do throws(MessageQueueError) {
                guard let frame = try connection.nextFrame() else { return }
                try handle(frame)
                connection.releaseFrames()
            } catch {
                lose(error)
            }
        }
    }

    private func handle(_ frame: amqp_frame_t) throws(MessageQueueError) {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD: try handle(frame.payload.method, on: frame.channel)
        case AMQP_FRAME_HEADER:
            guard var message = consuming.incomplete[frame.channel], let decoded = frame.payload.properties.decoded
            else {
                throw MessageQueueError(.protocolViolation, "the broker sent a header without a message")
            }
            let properties = decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee
            message.properties = MessageProperties(copying: properties)
            if properties._flags & amqp_flags_t(AMQP_BASIC_MESSAGE_ID_FLAG) != 0 {
                message.messageID = String(copying: properties.message_id)
            }
            message.bodySize = frame.payload.properties.body_size
            advance(message, on: frame.channel)
        case AMQP_FRAME_BODY:
            guard var message = consuming.incomplete[frame.channel], let size = message.bodySize else {
                throw MessageQueueError(.protocolViolation, "the broker sent a body without a message")
            }
            // Out of the dictionary, so that appending does not copy what is there.
            consuming.incomplete[frame.channel] = nil
            let fragment = frame.payload.body_fragment
            message.received += UInt64(fragment.len)
            if size <= IncompleteMessage.bodyLimit, let bytes = fragment.bytes {
                message.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: fragment.len))
            }
            advance(message, on: frame.channel)
        default: break
        }
    }

    private func handle(_ method: amqp_method_t, on channel: UInt16) throws(MessageQueueError) {
        guard let decoded = method.decoded else {
            throw MessageQueueError(.protocolViolation, "the broker sent a method without content")
        }
        switch method.id {
        case AMQP_BASIC_DELIVER_METHOD:
            let deliver = decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee
            consuming.incomplete[channel] = IncompleteMessage(
                method: .delivery(tag: deliver.delivery_tag, isRedelivered: deliver.redelivered != 0),
                exchange: String(copying: deliver.exchange), routingKey: String(copying: deliver.routing_key))
        case AMQP_BASIC_RETURN_METHOD:
            let answer = decoded.assumingMemoryBound(to: amqp_basic_return_t.self).pointee
            consuming.incomplete[channel] = IncompleteMessage(
                method: .returned(reason: String(copying: answer.reply_text)),
                exchange: String(copying: answer.exchange), routingKey: String(copying: answer.routing_key))
        case AMQP_BASIC_ACK_METHOD:
            let ack = decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
            confirmed(ack.delivery_tag, multiple: ack.multiple != 0, isTaken: true)
        case AMQP_BASIC_NACK_METHOD:
            let nack = decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
            confirmed(nack.delivery_tag, multiple: nack.multiple != 0, isTaken: false)
        case AMQP_CONNECTION_BLOCKED_METHOD:
            let blocked = decoded.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee
            publishing.alarm = String(copying: blocked.reason)
            logger.warning("the broker takes no messages: \(publishing.alarm ?? "")")
        case AMQP_CONNECTION_UNBLOCKED_METHOD: publishing.alarm = nil
        case AMQP_CHANNEL_CLOSE_METHOD, AMQP_CONNECTION_CLOSE_METHOD:
            // A closed channel is rare and has lost its deliveries: a new connection is the simple way out.
            throw AMQPConnection.refusal(method, "the broker closed the \(role.rawValue) connection")
        case AMQP_BASIC_CANCEL_METHOD:
            throw MessageQueueError(.connectionLost, "the broker cancelled a consumer; its queue was deleted or moved")
        default: break
        }
    }

    /// Keeps the message until it is whole, then hands it on.
    private func advance(_ message: IncompleteMessage, on channel: UInt16) {
        guard let size = message.bodySize, message.received >= size else {
            consuming.incomplete[channel] = message
            return
        }
        consuming.incomplete[channel] = nil
        switch message.method {
        case .returned(let reason):
            returned(
                messageID: message.messageID, reason: reason, exchange: message.exchange,
                routingKey: message.routingKey)
        case .delivery(let tag, let isRedelivered):
            deliver(message, tag: tag, isRedelivered: isRedelivered, on: channel)
        }
    }

    private func deliver(_ message: IncompleteMessage, tag: UInt64, isRedelivered: Bool, on channel: UInt16) {
        let (number, epoch, mailbox) = (epoch.current, epoch, mailbox)
        var delivery = Delivery(
            body: message.body, properties: message.properties, exchange: message.exchange,
            routingKey: message.routingKey, isRedelivered: isRedelivered, validity: { epoch.current == number },
            settlement: { (settlement) async throws(MessageQueueError) in
                try await mailbox.call { loop, answer in
                    loop.settle(settlement, tag: tag, channel: channel, epoch: number, answer)
                }
            })
        delivery.giveBack = { loop in
            loop.settle(.requeued, tag: tag, channel: channel, epoch: number) { _ in }
        }
        if channel == Self.replyChannel {
            // A reply that nobody waits for any more is of no interest.
            if let buffer = consuming.requests[message.properties.correlationID ?? ""] { _ = buffer.push(delivery) }
            return
        }
        if let size = message.bodySize, size > IncompleteMessage.bodyLimit {
            logger.error("a message of \(size) bytes on \(message.routingKey) became a dead letter: it is too large")
            return settle(.rejected, tag: tag, channel: channel, epoch: number) { _ in }
        }
        guard let consumer = consuming.consumers[channel], consumer.buffer.push(delivery) else {
            return settle(.requeued, tag: tag, channel: channel, epoch: number) { _ in }
        }
    }
}
