import CRabbitMQ
import Glibc

extension AMQPConnection {
    /// The next frame that has arrived whole; nil when there is none now. It also sends and expects heartbeats.
    ///
    /// What the frame points to lives until ``releaseFrames()``.
    ///
    /// - Throws: `connectionLost` and the like; the connection is of no use afterwards.
    func nextFrame() throws(MessageQueueError) -> amqp_frame_t? {
        var frame = amqp_frame_t()
        var now = timeval(tv_sec: 0, tv_usec: 0)
        let status = amqp_simple_wait_frame_noblock(state, &frame, &now)
        if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
        guard status == AMQP_STATUS_OK.rawValue else { throw Self.failure(of: status, "waiting for the broker") }
        return frame
    }

    /// Gives back the memory of the frames that were read.
    func releaseFrames() { amqp_maybe_release_buffers(state) }

    /// Writes a message; whether the broker took it is told by a later frame.
    func publish(_ message: OutgoingMessage, messageID: String, on channel: UInt16) throws(MessageQueueError) {
        let status = try AMQPPool.with { pool throws(MessageQueueError) in
            var properties = try Self.properties(message.properties, messageID: messageID, in: pool)
            let exchange = try pool.shortText(message.exchange)
            let routingKey = try pool.shortText(message.routingKey)
            return message.body.withUnsafeBytes { body in
                // librabbitmq only reads the bytes, although its structure says they may be changed.
                let bytes = amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress))
                return amqp_basic_publish(
                    state, channel, exchange, routingKey, message.isMandatory ? 1 : 0, 0, &properties, bytes)
            }
        }
        guard status == AMQP_STATUS_OK.rawValue else { throw Self.failure(of: status, "publishing") }
    }

    func settle(_ settlement: Delivery.Settlement, tag: UInt64, on channel: UInt16) throws(MessageQueueError) {
        let status =
            switch settlement {
            case .acknowledged: amqp_basic_ack(state, channel, tag, 0)
            case .requeued: amqp_basic_reject(state, channel, tag, 1)
            case .rejected: amqp_basic_reject(state, channel, tag, 0)
            }
        guard status == AMQP_STATUS_OK.rawValue else { throw Self.failure(of: status, "settling a delivery") }
    }

    private static func properties(
        _ properties: MessageProperties, messageID: String, in pool: AMQPPool
    ) throws(MessageQueueError) -> amqp_basic_properties_t {
        var result = amqp_basic_properties_t()
        var flags = Int32(AMQP_BASIC_CONTENT_TYPE_FLAG) | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG
        result.content_type = try pool.shortText(properties.contentType)
        result.delivery_mode = UInt8(
            properties.isPersistent ? AMQP_DELIVERY_PERSISTENT.rawValue : AMQP_DELIVERY_NONPERSISTENT.rawValue)
        result.message_id = try pool.shortText(messageID)
        if let correlationID = properties.correlationID {
            result.correlation_id = try pool.shortText(correlationID)
            flags |= AMQP_BASIC_CORRELATION_ID_FLAG
        }
        if let replyTo = properties.replyTo {
            result.reply_to = try pool.shortText(replyTo)
            flags |= AMQP_BASIC_REPLY_TO_FLAG
        }
        if let expiration = properties.expiration {
            let milliseconds = max(0, Int(expiration / .milliseconds(1)))
            result.expiration = try pool.shortText(String(milliseconds))
            flags |= AMQP_BASIC_EXPIRATION_FLAG
        }
        if let type = properties.type {
            result.type = try pool.shortText(type)
            flags |= AMQP_BASIC_TYPE_FLAG
        }
        if !properties.headers.isEmpty {
            result.headers = try pool.table(properties.headers.mapValues { .text($0) })
            flags |= AMQP_BASIC_HEADERS_FLAG
        }
        result._flags = amqp_flags_t(flags)
        return result
    }
}

extension MessageProperties {
    /// A copy of what librabbitmq decoded.
    init(copying decoded: amqp_basic_properties_t) {
        func text(_ bytes: amqp_bytes_t, _ flag: Int32) -> String? {
            decoded._flags & amqp_flags_t(flag) != 0 ? String(copying: bytes) : nil
        }
        self.init(
            contentType: text(decoded.content_type, AMQP_BASIC_CONTENT_TYPE_FLAG) ?? "",
            correlationID: text(decoded.correlation_id, AMQP_BASIC_CORRELATION_ID_FLAG),
            replyTo: text(decoded.reply_to, AMQP_BASIC_REPLY_TO_FLAG),
            expiration: text(decoded.expiration, AMQP_BASIC_EXPIRATION_FLAG).flatMap { Int64($0) }.map {
                .milliseconds($0)
            },
            type: text(decoded.type, AMQP_BASIC_TYPE_FLAG),
            isPersistent: decoded.delivery_mode == UInt8(AMQP_DELIVERY_PERSISTENT.rawValue))
        guard decoded._flags & amqp_flags_t(AMQP_BASIC_HEADERS_FLAG) != 0, let entries = decoded.headers.entries else {
            return
        }
        for index in 0..<Int(decoded.headers.num_entries) {
            let entry = entries[index]
            if let value = Self.text(of: entry.value) { headers[String(copying: entry.key)] = value }
        }
    }

    /// Texts as they are, numbers in decimal; nil for kinds that have no such form.
    private static func text(of field: amqp_field_value_t) -> String? {
        switch UInt32(field.kind) {
        case AMQP_FIELD_KIND_UTF8.rawValue, AMQP_FIELD_KIND_BYTES.rawValue: String(copying: field.value.bytes)
        case AMQP_FIELD_KIND_BOOLEAN.rawValue: field.value.boolean != 0 ? "true" : "false"
        case AMQP_FIELD_KIND_I8.rawValue: String(field.value.i8)
        case AMQP_FIELD_KIND_U8.rawValue: String(field.value.u8)
        case AMQP_FIELD_KIND_I16.rawValue: String(field.value.i16)
        case AMQP_FIELD_KIND_U16.rawValue: String(field.value.u16)
        case AMQP_FIELD_KIND_I32.rawValue: String(field.value.i32)
        case AMQP_FIELD_KIND_U32.rawValue: String(field.value.u32)
        case AMQP_FIELD_KIND_I64.rawValue: String(field.value.i64)
        case AMQP_FIELD_KIND_U64.rawValue, AMQP_FIELD_KIND_TIMESTAMP.rawValue: String(field.value.u64)
        default: nil
        }
    }
}
