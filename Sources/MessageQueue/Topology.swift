/// The exchanges, queues and bindings that a service relies on.
///
/// They are declared on every connection. That changes nothing where they exist already; where they exist with other
/// arguments the broker refuses, and connecting throws `topologyMismatch`.
package struct Topology: Hashable, Sendable {
    package var exchanges: [Exchange]
    package var queues: [Queue]
    package var bindings: [Binding]

    package init(exchanges: [Exchange] = [], queues: [Queue] = [], bindings: [Binding] = []) {
        self.exchanges = exchanges
        self.queues = queues
        self.bindings = bindings
    }

    /// A durable exchange.
    package struct Exchange: Hashable, Sendable {
        package let name: String
        package let kind: Kind

        package enum Kind: String, Hashable, Sendable { case direct, topic, fanout }

        package init(_ name: String, _ kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    /// A durable queue.
    package struct Queue: Hashable, Sendable {
        package let name: String
        /// The arguments of queue.declare, such as `x-queue-type`.
        package let arguments: [String: Argument]

        package init(_ name: String, arguments: [String: Argument]) {
            self.name = name
            self.arguments = arguments
        }
    }

    /// What an exchange sends to a queue.
    package struct Binding: Hashable, Sendable {
        package let queue: String
        package let exchange: String
        package let routingKey: String

        package init(queue: String, exchange: String, routingKey: String) {
            self.queue = queue
            self.exchange = exchange
            self.routingKey = routingKey
        }
    }

    /// The value of an argument.
    package enum Argument: Hashable, Sendable {
        case text(String)
        case integer(Int64)
    }
}
