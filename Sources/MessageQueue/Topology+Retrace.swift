/// The names by which the services and operators know the queues.
package enum QueueNames {
    /// The direct exchange of jobs; routing keys are the stages.
    package static let jobs = "retrace.jobs"
    /// The topic exchange of events; routing keys are `task.<stage>.<kind>`.
    package static let events = "retrace.events"
    /// The exchange, and the one queue on it, of messages that nobody could handle.
    package static let dead = "retrace.dead"
    /// The gateway's queue of events.
    package static let gatewayEvents = "retrace.events.gateway"

    /// The queue of a stage's jobs.
    package static func jobs(for stage: String) -> String { "retrace.jobs.\(stage)" }
    /// The queue in which a stage's jobs wait before they are tried again.
    package static func retry(for stage: String) -> String { "retrace.retry.\(stage)" }
}

extension Topology {
    /// Everything that the services share: jobs with their dead letters and delayed retries, and events.
    ///
    /// All queues are quorum queues, whose dead letters are passed on at least once (RabbitMQ 3.10, "Quorum Queues");
    /// that needs the overflow behaviour `reject-publish`.
    ///
    /// - Parameters:
    ///   - stages: The routing keys of the jobs: `ingest`, `resolve`, … and one for a builder with chroots of its own.
    ///   - deliveryLimit: How often the broker hands a message out before it becomes a dead letter. It lies well above the
    ///     ledger's limit of attempts, which ends the task with a reason first; this one only stops a worker that dies
    ///     before it has counted.
    package static func retrace(stages: [String], deliveryLimit: Int = 20) -> Topology {
        let quorum: [String: Argument] = [
            "x-queue-type": .text("quorum"), "x-overflow": .text("reject-publish"),
            "x-dead-letter-strategy": .text("at-least-once"),
        ]
        var topology = Topology(
            exchanges: [
                Exchange(QueueNames.jobs, .direct), Exchange(QueueNames.events, .topic),
                Exchange(QueueNames.dead, .topic),
            ],
            queues: [
                Queue(QueueNames.dead, arguments: ["x-queue-type": .text("quorum")]),
                Queue(QueueNames.gatewayEvents, arguments: ["x-queue-type": .text("quorum")]),
            ],
            bindings: [
                Binding(queue: QueueNames.dead, exchange: QueueNames.dead, routingKey: "#"),
                Binding(queue: QueueNames.gatewayEvents, exchange: QueueNames.events, routingKey: "task.#"),
            ])
        for stage in stages {
            let jobs = quorum.merging([
                "x-delivery-limit": .integer(Int64(deliveryLimit)),
                "x-dead-letter-exchange": .text(QueueNames.dead), "x-dead-letter-routing-key": .text(stage),
            ]) { $1 }
            // What expires here is a job again.
            let retry = quorum.merging([
                "x-dead-letter-exchange": .text(QueueNames.jobs), "x-dead-letter-routing-key": .text(stage),
            ]) { $1 }
            topology.queues.append(Queue(QueueNames.jobs(for: stage), arguments: jobs))
            topology.queues.append(Queue(QueueNames.retry(for: stage), arguments: retry))
            topology.bindings.append(
                Binding(queue: QueueNames.jobs(for: stage), exchange: QueueNames.jobs, routingKey: stage))
        }
        return topology
    }
}
