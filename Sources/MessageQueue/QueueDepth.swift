/// How much waits in a queue.
package struct QueueDepth: Hashable, Sendable {
    package let queue: String
    /// The messages that no consumer has been given yet.
    package let messages: Int
    package let consumers: Int

    package init(queue: String, messages: Int, consumers: Int) {
        self.queue = queue
        self.messages = messages
        self.consumers = consumers
    }
}
