import CrashModel
import GatewayAPI
import JobMessages
import Logging
import MessageQueue

/// Hands a job to ingest and gives what it replies, up to the verdict.
///
/// The stream throws when the broker cannot be reached within the time that a client waits for a worker.
///
/// - Parameter routingKey: Another queue's than ingest's, for tests.
func ingestReplies(
    to job: IngestJob, through broker: MessageBroker, limits: GatewayLimits,
    routingKey: String = IngestJob.stage.rawValue
) -> AsyncThrowingStream<IngestReply, any Error> {
    AsyncThrowingStream { continuation in
        let exchange = Task {
            do {
                let message = OutgoingMessage.job(
                    try JobCoding.encode(job), for: routingKey,
                    properties: MessageProperties(type: "IngestJob"))
                let replies = try await broker.request(message, within: limits.pickupTimeout)
                defer { replies.finish() }
                while true {
                    let delivery = try await replies.next(within: limits.pickupTimeout + limits.verdictTimeout)
                    let reply = try JobCoding.decode(IngestReply.self, from: delivery.body)
                    continuation.yield(reply)
                    if reply != .pickedUp { break }
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        // The stream owns the task: it ends with whoever reads it.
        continuation.onTermination = { _ in exchange.cancel() }
    }
}

/// Whether ingest's queue has a consumer; false where the broker does not say so.
///
/// - Parameter routingKey: Another queue's than ingest's, for tests.
func isIngestServed(
    by broker: MessageBroker, logger: Logger, routingKey: String = IngestJob.stage.rawValue
) async -> Bool {
    do {
        return try await broker.depth(of: QueueNames.jobs(for: routingKey)).consumers > 0
    } catch {
        logger.warning("it is not known whether an ingest takes jobs: \(error)")
        return false
    }
}
