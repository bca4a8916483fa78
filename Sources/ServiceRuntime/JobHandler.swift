package import CrashModel
package import JobMessages
package import Logging

/// What a service does with a job: the stage, and what goes round it.
package struct JobHandler<Job: JobMessage>: Sendable {
    /// Runs the stage. Throws `StageError`; anything else becomes the code `internal-error`.
    package var stage: @Sendable (Job, JobContext) async throws -> JobOutcome
    /// Where the attempts at a job are counted; nil for a job that is not counted.
    package var ledger: @Sendable (Job) -> AttemptLedger?
    /// The release that the events of the job are about; nil where a job is of a task, or does not say.
    package var release: @Sendable (Job) -> ReleaseID?
    /// Put into every event of the job; see `TaskEvent.facts`.
    package var facts: @Sendable (Job) -> [String: String]
    /// Whether a failure says nothing about the job, which then waits for as long as it takes: its attempts do not count.
    package var isWait: @Sendable (StageError) -> Bool
    /// Runs when a job has failed for good, before the broker forgets it: deletes the upload, for instance.
    ///
    /// What it throws is logged; the job has failed all the same.
    package var cleanUp: @Sendable (Job, StageError) async throws -> Void
    /// Runs when the stage has succeeded and everybody has been told; the job is acknowledged last. For work that takes long
    /// and that nobody waits for. It may run twice, like a stage, beside another process even, and is not tried again for
    /// what it throws, which is logged.
    package var afterwards: (@Sendable (Job, JobContext) async throws -> Void)?
    /// What is said to whoever waits on the job's reply queue; nil says nothing.
    package var reply: @Sendable (JobStanding) -> (any Encodable & Sendable)?

    package init(
        ledger: @escaping @Sendable (Job) -> AttemptLedger?,
        release: @escaping @Sendable (Job) -> ReleaseID? = { _ in nil },
        facts: @escaping @Sendable (Job) -> [String: String] = { _ in [:] },
        isWait: @escaping @Sendable (StageError) -> Bool = { _ in false },
        cleanUp: @escaping @Sendable (Job, StageError) async throws -> Void = { _, _ in },
        afterwards: (@Sendable (Job, JobContext) async throws -> Void)? = nil,
        reply: @escaping @Sendable (JobStanding) -> (any Encodable & Sendable)? = { _ in nil },
        stage: @escaping @Sendable (Job, JobContext) async throws -> JobOutcome
    ) {
        self.ledger = ledger
        self.release = release
        self.facts = facts
        self.isWait = isWait
        self.cleanUp = cleanUp
        self.afterwards = afterwards
        self.reply = reply
        self.stage = stage
    }
}

/// How far a job is, for whoever waits for a reply.
package enum JobStanding: Hashable, Sendable {
    case started
    case succeeded
    /// For good.
    case failed(StageError)
}

/// What a stage is handed beside its job.
package struct JobContext: Sendable {
    /// Which attempt this is, from 1.
    package let attempt: Int
    /// Whether a failure ends the task, whatever its disposition.
    package let isLastAttempt: Bool
    /// Carries the task's id.
    package let logger: Logger
    private let report: @Sendable (String, Double?, [String: String]) async -> Void

    package init(
        attempt: Int, isLastAttempt: Bool = false, logger: Logger,
        report: @escaping @Sendable (String, Double?, [String: String]) async -> Void
    ) {
        self.attempt = attempt
        self.isLastAttempt = isLastAttempt
        self.logger = logger
        self.report = report
    }

    /// Tells the person who waits how far it is.
    ///
    /// - Parameters:
    ///   - message: One sentence.
    ///   - fraction: How much is done, from 0 to 1.
    package func progress(_ message: String, fraction: Double? = nil, facts: [String: String] = [:]) async {
        await report(message, fraction, facts)
    }
}

/// What came out of a stage that succeeded.
package struct JobOutcome: Sendable {
    /// The jobs for the next stages, with the routing keys that they are sent under.
    package let next: [Next]
    /// One sentence for the person who waits.
    package let message: String
    /// What the gateway keeps; see `TaskEvent.facts`.
    package let facts: [String: String]
    /// The release that the task turned out to be of.
    package let releaseID: ReleaseID?

    /// A job and where it goes.
    package struct Next: Sendable {
        package let routingKey: String
        package let job: any JobMessage

        /// - Parameter routingKey: By default the stage of the job.
        package init<Job: JobMessage>(_ job: Job, routingKey: String? = nil) {
            self.routingKey = routingKey ?? Job.stage.rawValue
            self.job = job
        }
    }

    package init(
        next: [Next], message: String, facts: [String: String] = [:], releaseID: ReleaseID? = nil
    ) {
        self.next = next
        self.message = message
        self.facts = facts
        self.releaseID = releaseID
    }

    /// The journey goes on with `job`.
    package static func next(
        _ job: some JobMessage, _ message: String, facts: [String: String] = [:], releaseID: ReleaseID? = nil
    ) -> JobOutcome {
        JobOutcome(next: [Next(job)], message: message, facts: facts, releaseID: releaseID)
    }

    /// The journey ends here.
    package static func finished(
        _ message: String, facts: [String: String] = [:], releaseID: ReleaseID? = nil
    ) -> JobOutcome {
        JobOutcome(next: [], message: message, facts: facts, releaseID: releaseID)
    }
}
