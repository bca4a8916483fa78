import FoundationEssentials
import MessageQueue
import TestFixtures
import Testing

/// `compose/rabbitmq/definitions.json` is for operators; a service that finds other arguments there refuses to start.
@Suite struct DefinitionsTests {
    private struct Definitions: Decodable {
        struct Exchange: Decodable { let name, type: String }
        struct Queue: Decodable {
            let name: String
            let arguments: [String: Argument]
        }
        struct Binding: Decodable {
            let source, destination, routing_key: String
        }
        let exchanges: [Exchange]
        let queues: [Queue]
        let bindings: [Binding]
    }

    private struct Argument: Decodable {
        let value: Topology.Argument
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            value =
                if let number = try? container.decode(Int64.self) {
                    .integer(number)
                } else {
                    .text(try container.decode(String.self))
                }
        }
    }

    @Test func definitionsForOperatorsAreTheTopologyOfTheServices() throws {
        let checkout = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = try Data(contentsOf: URL(filePath: "/\(checkout)/compose/rabbitmq/definitions.json"))
        let definitions = try JSONDecoder().decode(Definitions.self, from: file)
        let topology = Topology.retrace(stages: ["ingest", "resolve", "fetch", "build", "retrace", "reposync"])
        #expect(
            Set(definitions.exchanges.map { "\($0.name) \($0.type)" })
                == Set(topology.exchanges.map { "\($0.name) \($0.kind.rawValue)" }))
        #expect(
            Dictionary(uniqueKeysWithValues: definitions.queues.map { ($0.name, $0.arguments.mapValues(\.value)) })
                == Dictionary(uniqueKeysWithValues: topology.queues.map { ($0.name, $0.arguments) }))
        #expect(
            Set(definitions.bindings.map { [$0.destination, $0.source, $0.routing_key] })
                == Set(topology.bindings.map { [$0.queue, $0.exchange, $0.routingKey] }))
    }

    @Test func topologyOfTheServicesIsAccepted() async throws {
        let stages = ["ingest", "resolve", "fetch", "build", "retrace", "reposync"]
        let broker = try MessageBroker(
            BrokerAddress(url: await PrivateBroker.sharedURL()), topology: .retrace(stages: stages), name: "test",
            logger: quiet)
        try await broker.connect()
        await broker.close()
    }
}
