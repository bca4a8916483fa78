/// Who takes deliveries from a connection.
struct ConsumingState {
    var consumers: [UInt16: Consumer] = [:]
    /// The queue of replies on the current connection.
    var replyQueue: String?
    /// Who waits for replies, by correlation id.
    var requests: [String: DeliveryBuffer] = [:]
    /// Messages of which not all frames have come, by channel.
    var incomplete: [UInt16: IncompleteMessage] = [:]

    struct Consumer {
        let queue: String
        let prefetch: Int
        let buffer: DeliveryBuffer
        /// Waits for the first subscription.
        var answer: Mailbox.Answer<UInt16>?

        func tag(_ channel: UInt16) -> String { "retrace-\(channel)" }
    }
}

extension ConnectionLoop {
    /// Subscribes now, or as soon as there is a connection, and again after every reconnect.
    ///
    /// The answer is the consumer's channel.
    func consume(
        _ queue: String, prefetch: Int, into buffer: DeliveryBuffer, _ answer: @escaping Mailbox.Answer<UInt16>
    ) {
        guard !isStopping else { return answer(.failure(Self.closed)) }
        let channel = (Self.firstConsumerChannel...).first { consuming.consumers[$0] == nil }
        guard let channel else {
            return answer(.failure(MessageQueueError(.invalidMessage, "there are too many consumers")))
        }
        consuming.consumers[channel] = .init(queue: queue, prefetch: prefetch, buffer: buffer, answer: answer)
        subscribe(channel)
    }

    /// Stops taking; deliveries in hand keep their channel and can be settled.
    func cancelConsumer(_ channel: UInt16, _ answer: @escaping Mailbox.Answer<Void>) {
        guard let consumer = consuming.consumers.removeValue(forKey: channel) else { return answer(.success(())) }
        // The broker answers after it has sent what was on its way, so that nothing falls between.
        if let connection {
            do throws(MessageQueueError) {
                try connection.cancelConsumer(tag: consumer.tag(channel), on: channel)
            } catch { lose(error) }
        }
        readFrames()
        giveBack(consumer.buffer.end())
        answer(.success(()))
    }

    func resumeConsumers() {
        for channel in consuming.consumers.keys.sorted() where connection != nil { subscribe(channel) }
    }

    func endConsumers() {
        for consumer in consuming.consumers.values {
            giveBack(consumer.buffer.end())
            consumer.answer?(.failure(Self.closed))
        }
        consuming.consumers = [:]
        for buffer in consuming.requests.values { _ = buffer.end(Self.closed) }
        consuming.requests = [:]
    }

    func consumersLost(_ failure: MessageQueueError) {
        let lost = MessageQueueError(.connectionLost, "the connection for replies was lost: \(failure.message)")
        for buffer in consuming.requests.values { _ = buffer.end(lost) }
        (consuming.requests, consuming.replyQueue, consuming.incomplete) = ([:], nil, [:])
    }

    private func subscribe(_ channel: UInt16) {
        guard let connection, var consumer = consuming.consumers[channel] else { return }
        let answer = consumer.answer
        consumer.answer = nil
        do throws(MessageQueueError) {
            try connection.openChannel(channel)
            try connection.consume(
                consumer.queue, tag: consumer.tag(channel), prefetch: consumer.prefetch, needsAck: true, on: channel)
            consuming.consumers[channel] = consumer
            answer?(.success(channel))
        } catch {
            if let answer {
                consuming.consumers[channel] = nil
                answer(.failure(error))
                if error.code == .notFound { return }
            }
            lose(error)
        }
    }

    // MARK: Settling

    func settle(
        _ settlement: Delivery.Settlement, tag: UInt64, channel: UInt16, epoch number: Int,
        _ answer: Mailbox.Answer<Void>
    ) {
        guard let connection, epoch.current == number else {
            return answer(
                .failure(
                    MessageQueueError(
                        .connectionLost, "the delivery's connection is gone; the broker delivers it again")))
        }
        do throws(MessageQueueError) {
            try connection.settle(settlement, tag: tag, on: channel)
            answer(.success(()))
        } catch {
            lose(error)
            answer(.failure(error))
        }
    }

    private func giveBack(_ deliveries: [Delivery]) {
        for delivery in deliveries { delivery.giveBack(self) }
    }

    // MARK: Replies

    /// Gets ready for the replies to a request; the answer is the queue for its `replyTo`.
    func expectReplies(
        to correlationID: String, into buffer: DeliveryBuffer, _ answer: Mailbox.Answer<String>
    ) {
        guard !isStopping else { return answer(.failure(Self.closed)) }
        guard let connection else {
            return answer(.failure(lastFailure ?? MessageQueueError(.connectionLost, "no connection to \(address)")))
        }
        do throws(MessageQueueError) {
            let queue = if let known = consuming.replyQueue { known } else { try makeReplyQueue(connection) }
            consuming.requests[correlationID] = buffer
            answer(.success(queue))
        } catch {
            lose(error)
            answer(.failure(error))
        }
    }

    func forgetReplies(to correlationID: String) {
        _ = consuming.requests.removeValue(forKey: correlationID)?.end()
    }

    private func makeReplyQueue(_ connection: AMQPConnection) throws(MessageQueueError) -> String {
        try connection.openChannel(Self.replyChannel)
        let queue = try connection.declareExclusiveQueue(on: Self.replyChannel)
        try connection.consume(queue, tag: "retrace-replies", prefetch: 0, needsAck: false, on: Self.replyChannel)
        consuming.replyQueue = queue
        return queue
    }
}
