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

    func run() async throws {
        await everyInterval(.seconds(5)) {
            var jobs = 0
            for stage in Stage.allCases where stage != .reposync {
                do throws(MessageQueueError) {
                    jobs += try await broker.depth(of: QueueNames.jobs(for: stage.rawValue)).messages
                } catch {
                    // A broker that cannot be reached takes no job either: uploads get their 503 from that.
                    logger.debug("the jobs that wait cannot be counted: \(error)")
                }
            }
            backlog.jobs = jobs
        }
    }
}
