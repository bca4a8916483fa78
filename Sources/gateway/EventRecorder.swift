import CrashModel
import GatewayAPI
import JobMessages
import Logging
import MessageQueue
import ServiceLifecycle
import TaskStorage

/// Takes the events of all stages from the gateway's queue and writes them down, one after the other.
struct EventRecorder: Service {
    let broker: MessageBroker
    let store: TaskStore
    let active: ActiveTasks
    let logger: Logger

    func run() async throws {
        let deliveries = try await broker.consume(QueueNames.gatewayEvents, prefetch: 64)
        await withGracefulShutdownHandler {
            for await delivery in deliveries { await record(delivery) }
        } onGracefulShutdown: {
            // The handler is synchronous; the loop above ends when this is done, and the group waits for the loop.
            Task { await deliveries.cancel() }
        }
    }

    private func record(_ delivery: Delivery) async {
        do {
            let event = try JobCoding.decode(TaskEvent.self, from: delivery.body)
            try await recordEvent(event, store: store, active: active, logger: logger)
            try await delivery.ack()
        } catch let error as UndecodableMessage {
            logger.error("an event was put aside: \(error.reason)")
            await settle { try await broker.deadLetter(delivery, reason: error.reason) }
        } catch let error as MessageQueueError {
            logger.debug("an event was recorded and will come again: \(error)")
        } catch {
            logger.error("an event could not be recorded and goes back to its queue: \(error)")
            // Without a pause a full disk would turn the queue round as fast as it can.
            await settle { try await Task.sleep(for: .seconds(1)) }
            await settle { try await delivery.reject(requeue: true) }
        }
    }

    private func settle(_ step: () async throws -> Void) async {
        do { try await step() } catch { logger.debug("an event was not settled: \(error)") }
    }
}
