/// The replies to one request, in the order in which they were sent.
package struct ReplyStream: Sendable {
    let buffer: DeliveryBuffer
    let mailbox: Mailbox
    let correlationID: String

    /// The next reply.
    ///
    /// - Parameter limit: How long to wait for it.
    /// - Throws: `timedOut`; `connectionLost` when the connection broke, after which no reply to this request can come;
    ///   `closed` when the task or the broker was stopped.
    package func next(within limit: Duration) async throws(MessageQueueError) -> Delivery {
        let deadline = ContinuousClock.now + limit
        let outcome = await buffer.next { expire in
            // A mailbox that is shut has ended the buffer already.
            _ = mailbox.post { loop in loop.schedule(at: deadline) { expire() } }
        }
        switch outcome {
        case .delivery(let reply): return reply
        case .timedOut: throw MessageQueueError(.timedOut, "no reply came within \(limit)")
        case .ended(let reason): throw reason ?? MessageQueueError(.closed, "the request was given up")
        case .cancelled: throw MessageQueueError(.closed, "the wait for a reply was cancelled")
        }
    }

    /// Says that no further reply is of interest; they are dropped from now on.
    package func finish() {
        _ = mailbox.post { [correlationID] loop in loop.forgetReplies(to: correlationID) }
    }
}
