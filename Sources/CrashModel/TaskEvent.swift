/// What a stage says of a task (or of a synchronisation) while it works; the only way by which state travels back.
package struct TaskEvent: Hashable, Sendable {
    /// The task, or nil for a synchronisation of a repository.
    package let task: TaskID?
    /// The release that is synchronised, or that the task turned out to be of.
    package let releaseID: ReleaseID?
    package let stage: Stage
    package let kind: Kind
    /// Microseconds since the epoch of Unix, by the clock of the stage's host.
    package let microseconds: Int64
    /// One sentence for the person who waits.
    package let message: String
    /// How much is done, from 0 to 1, where that is known.
    package let fraction: Double?
    /// Set on `failed` and `retrying`.
    package let error: StageError?
    /// Which attempt at the stage this is, from 1.
    package let attempt: Int
    /// What the stage learnt that the gateway keeps: the package, signal, counts of modules. Keys are the stage's.
    package let facts: [String: String]

    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case started
        case progress
        case succeeded
        case failed
        case retrying
    }

    package init(
        task: TaskID?, releaseID: ReleaseID? = nil, stage: Stage, kind: Kind, microseconds: Int64, message: String,
        fraction: Double? = nil, error: StageError? = nil, attempt: Int = 1, facts: [String: String] = [:]
    ) {
        self.task = task
        self.releaseID = releaseID
        self.stage = stage
        self.kind = kind
        self.microseconds = microseconds
        self.message = message
        self.fraction = fraction
        self.error = error
        self.attempt = attempt
        self.facts = facts
    }

    /// `task.<stage>.<kind>`: the routing key on the exchange of events.
    package var routingKey: String { "task.\(stage.rawValue).\(kind.rawValue)" }
}
