import CrashModel
import GatewayAPI
import JobMessages
import MessageQueue

/// Hands a job to ingest and gives what it replies, up to the verdict.
///
/// The stream throws when the broker cannot be reached within the time that a client waits for a worker.
func ingestReplies(
    to job: IngestJob, through broker: MessageBroker, limits: GatewayLimits
) -> AsyncThrowingStream<IngestReply, any Error> {
    AsyncThrowingStream { continuation in
        let exchange = Task {
            do {
                let message = OutgoingMessage.job(
                    try JobCoding.encode(job), for: IngestJob.stage.rawValue,
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
