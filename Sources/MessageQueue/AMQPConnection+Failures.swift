import CRabbitMQ

extension AMQPConnection {
    /// What an answer of the library says went wrong; nil when nothing did.
    static func failure(of reply: amqp_rpc_reply_t, _ doing: String) -> MessageQueueError? {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return nil
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            return failure(of: reply.library_error, doing)
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            return refusal(reply.reply, doing)
        default:
            return MessageQueueError(.protocolViolation, "\(doing) had no answer")
        }
    }

    /// What a negative status of the library means.
    static func failure(of status: Int32, _ doing: String) -> MessageQueueError {
        let code: MessageQueueError.Code =
            switch status {
            case AMQP_STATUS_TIMEOUT.rawValue: .timedOut
            case AMQP_STATUS_CONNECTION_CLOSED.rawValue, AMQP_STATUS_SOCKET_ERROR.rawValue,
                AMQP_STATUS_SOCKET_CLOSED.rawValue, AMQP_STATUS_HEARTBEAT_TIMEOUT.rawValue,
                AMQP_STATUS_TCP_ERROR.rawValue:
                .connectionLost
            case ...AMQP_STATUS_SSL_ERROR.rawValue: .tls
            default: .protocolViolation
            }
        return MessageQueueError(code, "\(doing): \(text(of: status))")
    }

    /// What a close that the broker sent means (AMQP 0-9-1, "Constants").
    static func refusal(_ method: amqp_method_t, _ doing: String) -> MessageQueueError {
        var number: UInt16 = 0
        var words = "the broker gave no reason"
        if method.id == AMQP_CONNECTION_CLOSE_METHOD, let close = method.decoded {
            let close = close.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            (number, words) = (close.reply_code, String(copying: close.reply_text))
        } else if method.id == AMQP_CHANNEL_CLOSE_METHOD, let close = method.decoded {
            let close = close.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            (number, words) = (close.reply_code, String(copying: close.reply_text))
        }
        let code: MessageQueueError.Code =
            switch number {
            case 320: .connectionLost
            case 402, 403, 530: .accessRefused
            case 404: .notFound
            case 405, 406: .topologyMismatch
            default: .protocolViolation
            }
        return MessageQueueError(code, "\(doing): \(number) \(words)")
    }

    static func text(of status: Int32) -> String {
        amqp_error_string2(status).map { String(cString: $0) } ?? "status \(status)"
    }
}
