import ArgumentParser
import CrashModel
import MessageQueue
import RetraceClient

struct QueuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues",
        abstract: "Shows what waits in each queue of the broker, and who takes from it.",
        discussion: """
            For operators: it talks to the broker, not to the server.

            retrace.jobs.*    jobs that no worker has begun; each stage needs a consumer
            retrace.retry.*   jobs that wait before they are tried again
            retrace.events.*  news for the gateway
            retrace.dead      messages that nobody could handle, with the reason in x-retrace-reason

            Example:
              retrace queues --check || mail -s 'retrace needs a look' ops@example.org

            Exit statuses: 0 shown; with --check 1 when there are dead letters or a queue that nobody takes from; \
            'retrace --help' lists the others.
            """)

    @Flag(help: "End with status 1 when there are dead letters or a stage has no consumer.")
    var check = false

    @OptionGroup var broker: BrokerOptions

    func run() async throws {
        try await reportingErrors {
            try await broker.run(Topology()) { broker in
                var depths: [QueueDepth] = []
                for queue in Self.queues { depths.append(try await broker.depth(of: queue)) }
                for line in Self.table(depths) { try Console.print(line) }
                let troubles = Self.troubles(depths)
                for trouble in troubles { Console.say(Console.colour(.yellow, "Note: ") + trouble) }
                if check, !troubles.isEmpty { throw ExitCode(ExitStatus.failed.rawValue) }
            }
        }
    }

    private static let stages = Stage.allCases.map(\.rawValue)
    private static let queues =
        stages.map(QueueNames.jobs(for:)) + stages.map(QueueNames.retry(for:))
        + [QueueNames.gatewayEvents, QueueNames.dead]
    /// The queues that somebody must take from.
    private static let served = Set(stages.map(QueueNames.jobs(for:)) + [QueueNames.gatewayEvents])

    private static func table(_ depths: [QueueDepth]) -> [String] {
        let width = (depths.map(\.queue.count).max() ?? 0) + 2
        func row(_ name: String, _ messages: String, _ consumers: String) -> String {
            func right(_ text: String) -> String { String(repeating: " ", count: max(0, 9 - text.count)) + text }
            return name + String(repeating: " ", count: max(1, width - name.count)) + right(messages) + "  "
                + right(consumers)
        }
        return [row("queue", "messages", "consumers")]
            + depths.map { row($0.queue, String($0.messages), String($0.consumers)) }
    }

    private static func troubles(_ depths: [QueueDepth]) -> [String] {
        depths.compactMap { depth in
            if depth.queue == QueueNames.dead, depth.messages > 0 {
                return "\(depth.messages) dead letters: look at them with RabbitMQ's management page or rabbitmqadmin."
            }
            guard served.contains(depth.queue), depth.consumers == 0 else { return nil }
            return "nobody takes from \(depth.queue): is its service running?"
        }
    }
}
