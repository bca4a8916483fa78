import CRabbitMQ

/// The messages that wait for the broker's confirm.
struct PublishingState {
    /// By the number under which they were accepted, which is their order.
    var pending: [UInt64: Publication] = [:]
    /// Which publication the broker knows under which delivery tag, on the current connection.
    var unconfirmed: [UInt64: UInt64] = [:]
    var lastNumber: UInt64 = 0
    var lastTag: UInt64 = 0
    /// Why the broker takes no messages at the moment.
    var alarm: String?
    /// Tells our message-ids from those of other processes.
    let prefix = String(UInt64.random(in: .min ... .max), radix: 36)

    struct Publication {
        let message: OutgoingMessage
        let answer: Mailbox.Answer<Void>
        /// Why the broker sent the message back, just before it confirms it.
        var returned: String?
    }

    mutating func connectionLost() {
        (unconfirmed, lastTag, alarm) = ([:], 0, nil)
    }

    func messageID(_ number: UInt64) -> String { "\(prefix)-\(number)" }

    func number(of messageID: String) -> UInt64? {
        guard messageID.hasPrefix(prefix + "-") else { return nil }
        return UInt64(messageID.dropFirst(prefix.count + 1))
    }
}

extension ConnectionLoop {
    /// Sends a message, again after a reconnect, until the broker has confirmed it or `deadline` has passed.
    func publish(
        _ message: OutgoingMessage, deadline: ContinuousClock.Instant, _ answer: @escaping Mailbox.Answer<Void>
    ) {
        guard !isStopping else { return answer(.failure(Self.closed)) }
        if let alarm = publishing.alarm { return answer(.failure(blocked(alarm))) }
        publishing.lastNumber += 1
        let number = publishing.lastNumber
        publishing.pending[number] = .init(message: message, answer: answer)
        schedule(at: deadline) { [self] in expire(number) }
        if connection != nil { send(number) }
    }

    /// Sends what an earlier connection left without a confirm. A message may then arrive twice, never not at all.
    func resumePublications() {
        for number in publishing.pending.keys.sorted() where connection != nil { send(number) }
    }

    func failPublications(_ failure: MessageQueueError) {
        for publication in publishing.pending.values { publication.answer(.failure(failure)) }
        publishing.pending = [:]
    }

    private func send(_ number: UInt64) {
        guard let connection, let publication = publishing.pending[number] else { return }
        do throws(MessageQueueError) {
            try connection.publish(
                publication.message, messageID: publishing.messageID(number), on: Self.publishChannel)
            publishing.lastTag += 1
            publishing.unconfirmed[publishing.lastTag] = number
        } catch {
            if error.code == .invalidMessage { finish(number, .failure(error)) } else { lose(error) }
        }
    }

    private func expire(_ number: UInt64) {
        guard publishing.pending[number] != nil else { return }
        let failure =
            if let alarm = publishing.alarm {
                blocked(alarm)
            } else if connection == nil {
                MessageQueueError(
                    .connectionLost, "there is no connection to \(address): \(lastFailure?.message ?? "not yet made")")
            } else {
                MessageQueueError(.timedOut, "the broker did not confirm the message in time")
            }
        finish(number, .failure(failure))
    }

    private func finish(_ number: UInt64, _ result: Result<Void, MessageQueueError>) {
        publishing.pending.removeValue(forKey: number)?.answer(result)
    }

    private func blocked(_ alarm: String) -> MessageQueueError {
        MessageQueueError(.blocked, "the broker takes no messages: \(alarm)")
    }

    // MARK: What the broker says

    /// basic.ack or basic.nack of everything up to `tag`, or of `tag` alone.
    func confirmed(_ tag: UInt64, multiple: Bool, isTaken: Bool) {
        let tags = multiple ? publishing.unconfirmed.keys.filter { $0 <= tag }.sorted() : [tag]
        for tag in tags {
            guard let number = publishing.unconfirmed.removeValue(forKey: tag) else { continue }
            if let reason = publishing.pending[number]?.returned {
                finish(number, .failure(MessageQueueError(.unroutable, reason)))
            } else if isTaken {
                finish(number, .success(()))
            } else {
                finish(number, .failure(MessageQueueError(.rejected, "the broker refused the message")))
            }
        }
    }

    /// basic.return, which comes before the confirm of the same message.
    func returned(messageID: String, reason: String, exchange: String, routingKey: String) {
        guard let number = publishing.number(of: messageID) else { return }
        publishing.pending[number]?.returned =
            "no queue takes '\(routingKey)' from the exchange '\(exchange)' (\(reason))"
    }

    func askDepth(of queue: String, _ answer: @escaping Mailbox.Answer<QueueDepth>) {
        guard let connection else {
            return answer(.failure(lastFailure ?? MessageQueueError(.connectionLost, "no connection to \(address)")))
        }
        do throws(MessageQueueError) {
            try connection.openChannel(Self.controlChannel)
            answer(.success(try connection.depth(of: queue, on: Self.controlChannel)))
        } catch {
            if error.code != .notFound { lose(error) }
            answer(.failure(error))
        }
    }
}
