import CRabbitMQ
import Glibc

/// One open connection of librabbitmq.
///
/// The library knows nothing of threads: a connection lives and dies on the thread that made it, which is why the type
/// is not `Sendable`.
final class AMQPConnection {
    let state: amqp_connection_state_t
    let descriptor: Int32
    private var openChannels: Set<UInt16> = []

    /// Connects and logs in; blocks for at most `limit` seconds and a half.
    ///
    /// - Throws: `unreachable`, `accessRefused` or `tls`.
    init(_ address: BrokerAddress, name: String, limit: Int = 5) throws(MessageQueueError) {
        guard let state = amqp_new_connection() else {
            throw MessageQueueError(.unreachable, "there is no memory left for a connection")
        }
        do throws(MessageQueueError) {
            descriptor = try Self.open(state, address, limit: limit)
            try Self.logIn(state, address, name: name, limit: limit)
        } catch {
            // The return code would only say that a connection that never was could not be closed in order.
            _ = amqp_destroy_connection(state)
            throw error
        }
        self.state = state
    }

    deinit { _ = amqp_destroy_connection(state) }

    /// Says good-bye; without it the broker logs that the client vanished.
    func close() -> MessageQueueError? {
        Self.failure(of: amqp_connection_close(state, AMQP_REPLY_SUCCESS), "closing the connection")
    }

    private static func open(
        _ state: amqp_connection_state_t, _ address: BrokerAddress, limit: Int
    ) throws(MessageQueueError) -> Int32 {
        let socket = address.tls == nil ? amqp_tcp_socket_new(state) : amqp_ssl_socket_new(state)
        guard let socket else { throw MessageQueueError(.unreachable, "there is no memory left for a socket") }
        if let tls = address.tls { try configure(socket, tls) }
        var timeout = timeval(tv_sec: limit, tv_usec: 0)
        let status = amqp_socket_open_noblock(socket, address.host, Int32(clamping: address.port), &timeout)
        guard status == AMQP_STATUS_OK.rawValue else {
            let secure = status <= AMQP_STATUS_SSL_ERROR.rawValue
            throw MessageQueueError(
                secure ? .tls : .unreachable,
                "no \(secure ? "TLS " : "")connection to \(address): \(text(of: status)); is the broker running there?")
        }
        let descriptor = amqp_get_sockfd(state)
        // A broker that stops reading would hold up the thread in a write for ever; the kernel then ends the connection.
        var milliseconds: UInt32 = 30_000
        let size = socklen_t(MemoryLayout<UInt32>.size)
        guard setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, size) == 0 else {
            throw MessageQueueError(.unreachable, "the socket to \(address) refuses a time limit (errno \(errno))")
        }
        return descriptor
    }

    private static func configure(_ socket: OpaquePointer, _ tls: BrokerTLS) throws(MessageQueueError) {
        amqp_ssl_socket_set_verify_peer(socket, 1)
        amqp_ssl_socket_set_verify_hostname(socket, 1)
        guard amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) == AMQP_STATUS_OK.rawValue else {
            throw MessageQueueError(.tls, "the TLS library does not offer TLS 1.2")
        }
        guard amqp_ssl_socket_set_cacert(socket, tls.certificateAuthority) == AMQP_STATUS_OK.rawValue else {
            throw MessageQueueError(.tls, "\(tls.certificateAuthority) holds no certificate authority in PEM")
        }
        guard let certificate = tls.certificate else { return }
        guard let key = tls.key else {
            throw MessageQueueError(.tls, "there is a certificate, \(certificate), but no key to it")
        }
        guard amqp_ssl_socket_set_key(socket, certificate, key) == AMQP_STATUS_OK.rawValue else {
            throw MessageQueueError(.tls, "\(certificate) and \(key) are not a certificate and its key in PEM")
        }
    }

    private static func logIn(
        _ state: amqp_connection_state_t, _ address: BrokerAddress, name: String, limit: Int
    ) throws(MessageQueueError) {
        var timeout = timeval(tv_sec: limit, tv_usec: 0)
        guard amqp_set_handshake_timeout(state, &timeout) == AMQP_STATUS_OK.rawValue,
            amqp_set_rpc_timeout(state, &timeout) == AMQP_STATUS_OK.rawValue
        else { throw MessageQueueError(.protocolViolation, "the library refuses a time limit of \(limit) s") }
        let heartbeat = Int32(clamping: max(1, address.heartbeat.components.seconds))
        let reply = try AMQPPool.with { pool throws(MessageQueueError) in
            var properties = try pool.clientProperties(connectionName: name)
            return retrace_amqp_login_plain(
                state, address.virtualHost, 0, AMQP_DEFAULT_FRAME_SIZE, heartbeat, &properties, address.user,
                address.password)
        }
        if let failure = failure(of: reply, "logging in at \(address)") {
            // Before the connection is open, a broker that says no does so with a close or by hanging up.
            guard failure.code == .protocolViolation || failure.code == .notFound else { throw failure }
            throw MessageQueueError(.accessRefused, failure.message)
        }
    }

    // MARK: Calls with an answer

    func openChannel(_ channel: UInt16) throws(MessageQueueError) {
        guard !openChannels.contains(channel) else { return }
        _ = amqp_channel_open(state, channel)
        try check(channel, "opening a channel")
        openChannels.insert(channel)
    }

    func declare(_ topology: Topology, on channel: UInt16) throws(MessageQueueError) {
        for exchange in topology.exchanges {
            try AMQPPool.with { pool throws(MessageQueueError) in
                _ = amqp_exchange_declare(
                    state, channel, try pool.shortText(exchange.name), try pool.shortText(exchange.kind.rawValue), 0,
                    1, 0, 0, amqp_table_t())
                try check(channel, "declaring the exchange \(exchange.name)")
            }
        }
        for queue in topology.queues {
            try AMQPPool.with { pool throws(MessageQueueError) in
                _ = amqp_queue_declare(
                    state, channel, try pool.shortText(queue.name), 0, 1, 0, 0, try pool.table(queue.arguments))
                try check(channel, "declaring the queue \(queue.name)")
            }
        }
        for binding in topology.bindings {
            try AMQPPool.with { pool throws(MessageQueueError) in
                _ = amqp_queue_bind(
                    state, channel, try pool.shortText(binding.queue), try pool.shortText(binding.exchange),
                    try pool.shortText(binding.routingKey), amqp_table_t())
                try check(channel, "binding the queue \(binding.queue) to \(binding.exchange)")
            }
        }
    }

    /// A queue for this connection alone, named by the broker, gone with the connection.
    func declareExclusiveQueue(on channel: UInt16) throws(MessageQueueError) -> String {
        let answer = amqp_queue_declare(state, channel, amqp_bytes_t(), 0, 0, 1, 1, amqp_table_t())
        try check(channel, "declaring a queue for replies")
        guard let answer else { throw MessageQueueError(.protocolViolation, "the broker named no queue for replies") }
        return String(copying: answer.pointee.queue)
    }

    /// How many messages wait in a queue, and how many consumers it has.
    func depth(of queue: String, on channel: UInt16) throws(MessageQueueError) -> QueueDepth {
        try AMQPPool.with { pool throws(MessageQueueError) in
            let answer = amqp_queue_declare(state, channel, try pool.shortText(queue), 1, 0, 0, 0, amqp_table_t())
            try check(channel, "asking for the depth of \(queue)")
            guard let answer else {
                throw MessageQueueError(.protocolViolation, "the broker told no depth of \(queue)")
            }
            return QueueDepth(
                queue: queue, messages: Int(answer.pointee.message_count),
                consumers: Int(answer.pointee.consumer_count))
        }
    }

    func selectConfirms(on channel: UInt16) throws(MessageQueueError) {
        _ = amqp_confirm_select(state, channel)
        try check(channel, "asking for confirms")
    }

    func consume(
        _ queue: String, tag: String, prefetch: Int, needsAck: Bool, on channel: UInt16
    ) throws(MessageQueueError) {
        _ = amqp_basic_qos(state, channel, 0, UInt16(clamping: prefetch), 0)
        try check(channel, "limiting the deliveries from \(queue)")
        try AMQPPool.with { pool throws(MessageQueueError) in
            _ = amqp_basic_consume(
                state, channel, try pool.shortText(queue), try pool.shortText(tag), 0, needsAck ? 0 : 1, 0,
                amqp_table_t())
            try check(channel, "consuming from \(queue)")
        }
    }

    func cancelConsumer(tag: String, on channel: UInt16) throws(MessageQueueError) {
        try AMQPPool.with { pool throws(MessageQueueError) in
            _ = amqp_basic_cancel(state, channel, try pool.shortText(tag))
            try check(channel, "cancelling a consumer")
        }
    }

    private func check(_ channel: UInt16, _ doing: @autoclosure () -> String) throws(MessageQueueError) {
        let reply = amqp_get_rpc_reply(state)
        guard let failure = Self.failure(of: reply, doing()) else { return }
        if reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION, reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD {
            // The broker closed the channel and waits for our word before the number can be used again.
            openChannels.remove(channel)
            var word = amqp_channel_close_ok_t()
            let status = amqp_send_method(state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &word)
            guard status == AMQP_STATUS_OK.rawValue else { throw Self.failure(of: status, doing()) }
        }
        throw failure
    }
}
