import CrashModel
package import JobMessages
package import Logging
package import MessageQueue
import ServiceLifecycle

/// How a worker works.
package struct WorkerSettings: Hashable, Sendable {
    /// How many jobs run at a time.
    package var concurrency: Int
    /// How often a job is begun before its task fails.
    package var attempts: Int
    /// How long running jobs may go on after the service was told to stop.
    package var grace: Duration

    package init(concurrency: Int = 1, attempts: Int = 3, grace: Duration = .seconds(20)) {
        self.concurrency = concurrency
        self.attempts = attempts
        self.grace = grace
    }
}

/// The loop of a service: take a job, run the stage, hand on what came out, and only then let the broker forget it.
///
/// Whatever happens to a job ends in one of five ways: it is acknowledged after its successor was confirmed; it waits in
/// the queue of retries; its task has failed with a reason; it is a dead letter with a reason; or it goes back to its
/// queue, because the service was stopped or the broker was lost. The loop itself ends only when it is stopped.
package struct JobWorker<Job: JobMessage>: Service {
    let broker: MessageBroker
    let handler: JobHandler<Job>
    let settings: WorkerSettings
    let logger: Logger
    /// The routing key of the jobs, which names their queue.
    let routingKey: String

    /// - Parameter routingKey: The queue's; by default the stage, otherwise `build.<host>` and the like.
    package init(
        on broker: MessageBroker, settings: WorkerSettings = WorkerSettings(), logger: Logger,
        routingKey: String = Job.stage.rawValue, handler: JobHandler<Job>
    ) {
        self.broker = broker
        self.handler = handler
        self.settings = settings
        self.logger = logger
        self.routingKey = routingKey
    }

    /// Works until the service is told to stop; then takes nothing more, gives running jobs their grace, cancels them and
    /// gives them back.
    package func run() async throws {
        let deliveries = try await broker.consume(QueueNames.jobs(for: routingKey), prefetch: settings.concurrency)
        logger.info("waiting for jobs", metadata: ["queue": "\(QueueNames.jobs(for: routingKey))"])
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskGroup(of: Void.self) { workers in
                    for _ in 0..<max(1, settings.concurrency) {
                        workers.addTask { for await delivery in deliveries { await handle(delivery) } }
                    }
                }
            }
            group.addTask {
                // Both end early when the workers have ended and the group is cancelled.
                guard (try? await gracefulShutdown()) != nil else { return }
                await deliveries.cancel()
                try? await Task.sleep(for: settings.grace)
            }
            await group.next()
            group.cancelAll()
        }
        await deliveries.cancel()
    }

    func handle(_ delivery: Delivery) async {
        do throws(MessageQueueError) {
            let job: Job
            do throws(UndecodableMessage) {
                job = try JobCoding.decode(Job.self, from: delivery.body)
            } catch {
                logger.error("a message was put aside: \(error.reason)", metadata: ["queue": "\(routingKey)"])
                return try await broker.deadLetter(delivery, reason: error.reason)
            }
            try await work(on: job, delivery)
        } catch {
            // The broker has the job still, and hands it out again.
            logger.warning("a job was not settled, and will come again: \(error)", metadata: ["queue": "\(routingKey)"])
            await giveBack(delivery)
        }
    }

    /// Harmless where the connection is gone: then the broker has the job back already.
    func giveBack(_ delivery: Delivery) async {
        do throws(MessageQueueError) {
            try await delivery.reject(requeue: true)
        } catch {
            logger.debug("the delivery is void: \(error)")
        }
    }
}
