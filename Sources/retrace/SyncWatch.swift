import CrashModel
import JobMessages
import MessageQueue
import RetraceClient

/// Watches reposync's events through a queue of its own, which the broker removes a minute after the watch has ended.
struct SyncWatch {
    /// Tells this watch's job from all others.
    let name = String(UInt64.random(in: .min ... .max), radix: 36)
    var queue: String { "retrace.events.sync-\(name)" }

    /// What the services declare and the queue. It outlives a lost connection, so that no event is missed.
    var topology: Topology {
        var topology = servicesTopology
        // Milliseconds without a consumer (RabbitMQ, "Time-To-Live and Expiration").
        topology.queues.append(Topology.Queue(queue, arguments: ["x-expires": .integer(60_000)]))
        topology.bindings.append(
            Topology.Binding(queue: queue, exchange: QueueNames.events, routingKey: "task.\(Stage.reposync.rawValue).*")
        )
        return topology
    }

    /// Shows the events of one job until its synchronisation has ended. Its mirror may have another name than the release
    /// that was asked for, `rhel-8` for `rhel-8.4`, and other jobs may be at work on the same one.
    ///
    /// - Parameters:
    ///   - release: As the person calls it.
    ///   - requester: ``JobMessages/ReposyncJob/requestedBy``, which every event of the job carries.
    /// - Returns: Whether it ended well.
    /// - Throws: `ClientError` when the events stop coming because the broker was closed.
    func follow(_ release: ReleaseID, askedBy requester: String, _ deliveries: Deliveries) async throws -> Bool {
        var display = ProgressDisplay()
        for await delivery in deliveries {
            try await delivery.ack()
            let event: TaskEvent
            do {
                event = try JobCoding.decode(TaskEvent.self, from: delivery.body)
            } catch {
                Console.say("An event could not be read: \(printable(error.reason))")
                continue
            }
            guard event.facts["requested_by"] == requester else { continue }
            switch event.kind {
            case .started: display.show(stage: "Synchronising \(release).")
            case .progress:
                let share = event.fraction.map { " (\(Int(min(max($0, 0), 1) * 100)) %)" } ?? ""
                display.show(stage: "Synchronising \(release).", detail: event.message + share)
            case .retrying: display.show(stage: "Trying again.", detail: event.error?.reason ?? event.message)
            case .succeeded:
                display.end()
                Console.say(Console.colour(.green, "Done") + " after \(display.elapsed) s. \(printable(event.message))")
                return true
            case .failed:
                display.end()
                let error = event.error
                Console.complain(
                    "The synchronisation of \(release) failed. \(error?.reason ?? event.message)", error?.advice)
                if let output = error?.toolOutput, !output.isEmpty { Console.say(printable(output)) }
                return false
            }
        }
        throw ClientError(
            .unavailable, "The broker sends no more events; the synchronisation goes on without a watcher.",
            advice: "'retrace releases' lists the release once it is mirrored.")
    }
}
