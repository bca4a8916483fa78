import Logging
import MessageQueue
import TestFixtures

/// A connected broker with a stage of its own, so that tests run side by side on one node.
struct TestStage {
    let broker: MessageBroker
    let stage: String
    var jobs: String { QueueNames.jobs(for: stage) }
    /// A queue of this stage's dead letters alone.
    var dead: String { "test.dead.\(stage)" }

    static func topology(_ stage: String, deliveryLimit: Int = 20) -> Topology {
        var topology = Topology.retrace(stages: [stage], deliveryLimit: deliveryLimit)
        topology.queues.append(.init("test.dead.\(stage)", arguments: ["x-queue-type": .text("quorum")]))
        topology.bindings.append(.init(queue: "test.dead.\(stage)", exchange: QueueNames.dead, routingKey: stage))
        return topology
    }

    static func connect(to url: String? = nil, deliveryLimit: Int = 20) async throws -> TestStage {
        let stage = "t\(UInt64.random(in: 0...UInt64.max))"
        let address = try BrokerAddress(url: await url.orShared())
        let broker = try MessageBroker(
            address, topology: topology(stage, deliveryLimit: deliveryLimit), name: "test", logger: quiet)
        try await broker.connect()
        return TestStage(broker: broker, stage: stage)
    }

    /// Another connection to the same queues.
    func second() async throws -> MessageBroker {
        let other = try MessageBroker(broker.address, topology: Self.topology(stage), name: "second", logger: quiet)
        try await other.connect()
        return other
    }

    func publish(_ text: String) async throws {
        try await broker.publish(.job(Array(text.utf8), for: stage))
    }
}

/// Warnings of lost connections are what these tests are about.
let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

extension Optional<String> {
    func orShared() async throws -> String {
        if let self { return self }
        return try await PrivateBroker.sharedURL()
    }
}

extension Delivery {
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// The code of the error that `body` throws; nil when it throws none.
func code(_ body: () async throws(MessageQueueError) -> Void) async -> MessageQueueError.Code? {
    do throws(MessageQueueError) {
        try await body()
        return nil
    } catch {
        return error.code
    }
}
