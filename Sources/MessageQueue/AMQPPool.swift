import CRabbitMQ

/// Memory that C structures point into; all of it goes when the pool does.
final class AMQPPool {
    private let pool: UnsafeMutablePointer<amqp_pool_t>

    private init() {
        pool = .allocate(capacity: 1)
        init_amqp_pool(pool, 4096)
    }

    deinit {
        empty_amqp_pool(pool)
        pool.deallocate()
    }

    /// Runs `body` with a pool that lives until it returns: C does not keep alive what it points to.
    static func with<Value>(
        _ body: (AMQPPool) throws(MessageQueueError) -> Value
    ) throws(MessageQueueError) -> Value {
        let pool = AMQPPool()
        defer { withExtendedLifetime(pool) {} }
        return try body(pool)
    }

    /// A copy of `text`, without a NUL.
    func bytes(_ text: String) throws(MessageQueueError) -> amqp_bytes_t { try bytes(Array(text.utf8)) }

    func bytes(_ contents: [UInt8]) throws(MessageQueueError) -> amqp_bytes_t {
        guard !contents.isEmpty else { return amqp_bytes_t() }
        let memory = try allocate(contents.count)
        contents.withUnsafeBytes {
            memory.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory), byteCount: $0.count)
        }
        return amqp_bytes_t(len: contents.count, bytes: memory)
    }

    /// A short string of AMQP.
    ///
    /// - Throws: `invalidMessage` for more than 255 bytes, which librabbitmq would write with a wrong length.
    func shortText(_ text: String) throws(MessageQueueError) -> amqp_bytes_t {
        guard text.utf8.count <= 255 else {
            throw MessageQueueError(
                .invalidMessage,
                "'\(text.prefix(40))…' has \(text.utf8.count) bytes; AMQP allows 255 for a name or property")
        }
        return try bytes(text)
    }

    func table(_ arguments: [String: Topology.Argument]) throws(MessageQueueError) -> amqp_table_t {
        guard !arguments.isEmpty else { return amqp_table_t() }
        let size = MemoryLayout<amqp_table_entry_t>.stride * arguments.count
        let entries = try allocate(size).bindMemory(to: amqp_table_entry_t.self, capacity: arguments.count)
        for (index, (name, argument)) in arguments.sorted(by: { $0.key < $1.key }).enumerated() {
            var value = amqp_field_value_t()
            switch argument {
            case .text(let text):
                value.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
                value.value.bytes = try bytes(text)
            case .integer(let number):
                value.kind = UInt8(AMQP_FIELD_KIND_I64.rawValue)
                value.value.i64 = number
            }
            entries[index] = amqp_table_entry_t(key: try shortText(name), value: value)
        }
        return amqp_table_t(num_entries: Int32(arguments.count), entries: entries)
    }

    /// The capabilities that the broker shall know of us: it may cancel a consumer, tell of alarms, and name a refusal.
    func clientProperties(connectionName: String) throws(MessageQueueError) -> amqp_table_t {
        let names = [
            "authentication_failure_close", "basic.nack", "connection.blocked", "consumer_cancel_notify",
            "publisher_confirms",
        ]
        let size = MemoryLayout<amqp_table_entry_t>.stride
        let flags = try allocate(size * names.count).bindMemory(to: amqp_table_entry_t.self, capacity: names.count)
        for (index, name) in names.enumerated() {
            var value = amqp_field_value_t()
            value.kind = UInt8(AMQP_FIELD_KIND_BOOLEAN.rawValue)
            value.value.boolean = 1
            flags[index] = amqp_table_entry_t(key: try shortText(name), value: value)
        }
        var capabilities = amqp_field_value_t()
        capabilities.kind = UInt8(AMQP_FIELD_KIND_TABLE.rawValue)
        capabilities.value.table = amqp_table_t(num_entries: Int32(names.count), entries: flags)
        var name = amqp_field_value_t()
        name.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
        name.value.bytes = try bytes(connectionName)
        let entries = try allocate(size * 2).bindMemory(to: amqp_table_entry_t.self, capacity: 2)
        entries[0] = amqp_table_entry_t(key: try shortText("capabilities"), value: capabilities)
        entries[1] = amqp_table_entry_t(key: try shortText("connection_name"), value: name)
        return amqp_table_t(num_entries: 2, entries: entries)
    }

    private func allocate(_ count: Int) throws(MessageQueueError) -> UnsafeMutableRawPointer {
        guard let memory = amqp_pool_alloc(pool, count) else {
            throw MessageQueueError(.protocolViolation, "there is no memory left for a message")
        }
        return memory
    }
}

extension String {
    /// A copy of the bytes, with anything that is not UTF-8 replaced.
    init(copying bytes: amqp_bytes_t) {
        self.init(
            decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.bytes == nil ? 0 : bytes.len),
            as: UTF8.self)
    }
}
