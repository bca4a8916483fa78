import CrashModel
import GatewayAPI
import Logging
import MessageQueue
import ServiceLifecycle

/// Counts the jobs of tasks that wait in the broker's queues, so that no request has to ask the broker.
struct QueueWatch: Service {
    let broker: MessageBroker
    let backlog: QueueBacklog
    let logger: Logger
    var queues = Stage.allCases.filter { $0 != .reposync }.map { QueueNames.jobs(for: $0.rawValue) }

    func run() async throws { await everyInterval(.seconds(5)) { await count() } }

    func count() async {
        var jobs = 0
        for queue in queues {
            do throws(MessageQueueError) {
                jobs += try await broker.depth(of: queue).messages
            } catch {
                // A broker that cannot be reached takes no job either: uploads get their 503 from that.
                logger.debug("the jobs that wait cannot be counted: \(error)")
            }
        }
        backlog.jobs = jobs
    }
}
