import CrashModel
import Glibc
import JobMessages
import Logging
import MessageQueue

extension JobWorker {
    /// One attempt at one job.
    func work(on job: Job, _ delivery: Delivery) async throws(MessageQueueError) {
        let log = JobLog(job: job, stage: Job.stage, logger: logger)
        let ledger = handler.ledger(job)
        let attempt: Int
        do throws(AttemptLedger.Failure) {
            attempt = try await ledger?.record() ?? 1
        } catch .withdrawn {
            log.logger.notice("the task is gone, so its job is dropped")
            // Its roots, for instance, lie elsewhere and are still there.
            await cleanUp(job, StageError(Job.stage, .interrupted, "The task was removed while it was in work."), log)
            return try await delivery.ack()
        } catch {
            let failure = StageError(
                Job.stage, .diskFull, "The attempts at the job cannot be counted on the server's disk.",
                disposition: .retry(after: .seconds(30)))
            log.logger.error("the ledger cannot be written: \(error)")
            return try await retry(job, delivery, failure, after: .seconds(30), attempt: 1, log)
        }
        guard attempt <= settings.attempts else {
            let failure = StageError(
                Job.stage, .tooManyAttempts,
                "The server began \(Job.stage.activity) \(settings.attempts) times and never came to the end of it.",
                advice: "Tell the operator of the server: its log has the cause.")
            return try await fail(job, delivery, failure, attempt: attempt, log, ledger)
        }
        do throws(MessageQueueError) {
            try await answer(delivery, .started)
            try await send(event(job, .started, Job.stage.activity, attempt: attempt), for: delivery)
            let result = await runStage(job, attempt: attempt, log)
            switch result {
            case .success(let outcome):
                // From here on the stage is done: coming again means publishing again, not another attempt at it.
                await settle("cleared", log) { () async throws(AttemptLedger.Failure) in try await ledger?.clear() }
                try await succeed(job, delivery, outcome, attempt: attempt)
                log.logger.info("\(outcome.message)", metadata: ["took": "\(log.elapsed)"])
                guard await doAfterwards(job, attempt: attempt, log, ledger) else {
                    log.logger.notice("what is done after the end was interrupted, so the job goes back to its queue")
                    return await giveBack(delivery)
                }
                try await delivery.ack()
            case .failure(.interrupted):
                await settle("corrected", log) { () async throws(AttemptLedger.Failure) in try await ledger?.forgive() }
                log.logger.notice("the job was interrupted and goes back to its queue")
                await giveBack(delivery)
            case .failure(.stage(let failure)):
                let isWait = handler.isWait(failure)
                if isWait {
                    await settle("corrected", log) { () async throws(AttemptLedger.Failure) in
                        try await ledger?.forgive()
                    }
                }
                if case .retry(let delay) = failure.disposition, isWait || attempt < settings.attempts {
                    try await retry(job, delivery, failure, after: delay, attempt: attempt, log)
                } else {
                    try await fail(job, delivery, failure, attempt: attempt, log, ledger)
                }
            }
        } catch {
            // Losing the broker is not the job's fault.
            await settle("corrected", log) { () async throws(AttemptLedger.Failure) in try await ledger?.forgive() }
            guard !error.isTransient, error.code != .closed else { throw error }
            // Coming again would end the same way, and a task must not wait for ever.
            log.logger.error("the broker does not take what came out: \(error)")
            let failure = StageError(
                Job.stage, .internalError, "The server could not hand the task on to its next stage.",
                advice: "Tell the operator of the server: its log has the cause.")
            try await fail(job, delivery, failure, attempt: attempt, log, ledger)
        }
    }

    private enum Defeat: Error {
        case stage(StageError)
        case interrupted
    }

    func context(of job: Job, attempt: Int, _ log: JobLog<Job>) -> JobContext {
        JobContext(attempt: attempt, isLastAttempt: attempt >= settings.attempts, logger: log.logger) {
            message, fraction, facts in
            let event = event(job, .progress, message, attempt: attempt, fraction: fraction, facts: facts)
            do throws(MessageQueueError) {
                let message = OutgoingMessage.event(try encode(event), routingKey: event.routingKey)
                try await broker.publish(message, within: .seconds(5))
            } catch {
                log.logger.debug("a progress event was lost: \(error)")
            }
        }
    }

    private func runStage(_ job: Job, attempt: Int, _ log: JobLog<Job>) async -> Result<JobOutcome, Defeat> {
        do {
            return .success(try await handler.stage(job, context(of: job, attempt: attempt, log)))
        } catch let error as StageError {
            return .failure(error.code == .interrupted ? .interrupted : .stage(error))
        } catch is CancellationError {
            return .failure(.interrupted)
        } catch {
            // A stage that is cancelled may say so in its own words.
            if Task.isCancelled { return .failure(.interrupted) }
            log.logger.error("the stage failed for a reason that no rule foresaw: \(error)")
            return .failure(
                .stage(
                    StageError(
                        Job.stage, .internalError,
                        "Something that no rule foresaw happened while \(Job.stage.activity).",
                        advice: "Tell the operator of the server: its log has the cause.")))
        }
    }

    // MARK: Ends

    /// Everything but the acknowledgement.
    private func succeed(
        _ job: Job, _ delivery: Delivery, _ outcome: JobOutcome, attempt: Int
    ) async throws(MessageQueueError) {
        for next in outcome.next {
            let message = OutgoingMessage.job(
                try encode(next.job), for: next.routingKey,
                properties: MessageProperties(type: "\(type(of: next.job))"))
            try await send(message, for: delivery)
        }
        try await send(
            event(
                job, .succeeded, outcome.message, attempt: attempt, facts: outcome.facts,
                releaseID: outcome.releaseID), for: delivery)
        try await answer(delivery, .succeeded)
    }

    private func retry(
        _ job: Job, _ delivery: Delivery, _ failure: StageError, after delay: Duration, attempt: Int,
        _ log: JobLog<Job>
    ) async throws(MessageQueueError) {
        log.logger.warning("trying again in \(delay): \(failure)")
        try await send(event(job, .retrying, failure.reason, attempt: attempt, error: failure), for: delivery)
        let properties = MessageProperties(
            correlationID: delivery.properties.correlationID, replyTo: delivery.properties.replyTo,
            type: delivery.properties.type)
        try await send(.retry(delivery.body, for: routingKey, after: delay, properties: properties), for: delivery)
        try await delivery.ack()
    }

    private func fail(
        _ job: Job, _ delivery: Delivery, _ failure: StageError, attempt: Int, _ log: JobLog<Job>,
        _ ledger: AttemptLedger?
    ) async throws(MessageQueueError) {
        log.logger.warning("failed: \(failure)", metadata: ["took": "\(log.elapsed)"])
        try await send(event(job, .failed, failure.reason, attempt: attempt, error: failure), for: delivery)
        await cleanUp(job, failure, log)
        try await answer(delivery, .failed(failure))
        try await delivery.ack()
        // A job that may come again under the same name (a synchronisation) begins anew.
        await settle("cleared", log) { () async throws(AttemptLedger.Failure) in try await ledger?.clear() }
    }

    private func cleanUp(_ job: Job, _ failure: StageError, _ log: JobLog<Job>) async {
        do {
            try await handler.cleanUp(job, failure)
        } catch {
            log.logger.error("the failed job left something behind: \(error)")
        }
    }

    /// A ledger that cannot be changed costs at most an attempt; the task may have been deleted meanwhile.
    func settle(
        _ what: String, _ log: JobLog<Job>, _ change: () async throws(AttemptLedger.Failure) -> Void
    ) async {
        do throws(AttemptLedger.Failure) {
            try await change()
        } catch {
            log.logger.debug("the ledger was not \(what): \(error)")
        }
    }

    // MARK: Words

    private func answer(_ delivery: Delivery, _ standing: JobStanding) async throws(MessageQueueError) {
        guard delivery.properties.replyTo != nil, let reply = handler.reply(standing) else { return }
        try await broker.reply(to: delivery, try encode(reply))
    }

    private func send(_ event: TaskEvent, for delivery: Delivery) async throws(MessageQueueError) {
        try await send(.event(try encode(event), routingKey: event.routingKey), for: delivery)
    }

    /// Publishes, and keeps at it while the broker has an alarm or a full queue: giving the job back then would only run
    /// the stage again. Ends when the delivery is void, because then the job is somebody else's.
    private func send(_ message: OutgoingMessage, for delivery: Delivery) async throws(MessageQueueError) {
        var pause = Duration.milliseconds(500)
        while true {
            do throws(MessageQueueError) {
                return try await broker.publish(message)
            } catch {
                guard error.isTransient, !delivery.isVoid else { throw error }
                logger.warning("the broker does not take a message, trying again in \(pause): \(error)")
                guard (try? await Task.sleep(for: pause)) != nil else { throw error }
                pause = min(pause * 2, .seconds(30))
            }
        }
    }

    private func encode(_ message: some Encodable) throws(MessageQueueError) -> [UInt8] {
        do {
            return try JobCoding.encode(message)
        } catch {
            throw MessageQueueError(.invalidMessage, "a message has no form in JSON: \(error)")
        }
    }

    private func event(
        _ job: Job, _ kind: TaskEvent.Kind, _ message: String, attempt: Int, fraction: Double? = nil,
        error: StageError? = nil, facts: [String: String] = [:], releaseID: ReleaseID? = nil
    ) -> TaskEvent {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return TaskEvent(
            task: job.task, releaseID: releaseID ?? handler.release(job), stage: Job.stage, kind: kind,
            microseconds: Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000, message: message,
            fraction: fraction, error: error, attempt: attempt, facts: handler.facts(job).merging(facts) { $1 })
    }
}

/// The logger of one job, and since when it runs.
struct JobLog<Job: JobMessage> {
    let logger: Logger
    private let start = ContinuousClock.now

    init(job: Job, stage: Stage, logger: Logger) {
        var logger = logger
        logger[metadataKey: "stage"] = "\(stage.rawValue)"
        if let task = job.task { logger[metadataKey: "task"] = "\(task)" }
        self.logger = logger
    }

    /// Such as `0.153 s`.
    var elapsed: String {
        let milliseconds = Int((ContinuousClock.now - start) / .milliseconds(1))
        let digits = String(milliseconds % 1000)
        return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - digits.count))\(digits) s"
    }
}
