/// The deliveries of one consumer, in the broker's order and across reconnects, until it is cancelled or the broker
/// closed.
///
/// Several tasks may iterate at once: each delivery goes to one of them.
package struct Deliveries: AsyncSequence, Sendable {
    let buffer: DeliveryBuffer
    let cancellation: @Sendable () async -> Void

    /// Ends the sequence: nothing more is taken from the queue, and what nobody has iterated over goes back to it.
    /// Deliveries in hand can still be settled.
    package func cancel() async { await cancellation() }

    package func makeAsyncIterator() -> Iterator { Iterator(buffer: buffer) }

    package struct Iterator: AsyncIteratorProtocol {
        let buffer: DeliveryBuffer

        /// The next delivery that can still be settled; nil at the end, and when the task is cancelled.
        package mutating func next() async -> Delivery? {
            while case .delivery(let delivery) = await buffer.next() {
                // It was waiting here when its connection was lost: the broker delivers it again.
                if !delivery.isVoid { return delivery }
            }
            return nil
        }
    }
}
