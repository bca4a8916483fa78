import CrashModel
import Glibc
import JobMessages
import MessageQueue
import ServiceRuntime
import Synchronization
import SystemPackage
import TestFixtures
import Testing

@Suite struct JobWorkerTests {
    @Test func succeededJobPublishesTheNextAndIsAcknowledged() async throws {
        try await WorkerBench.with { bench in
            try await bench.running(
                bench.worker { job, context in
                    await context.progress("half way", fraction: 0.5)
                    return bench.outcome("done with \(job.contentType)")
                }
            ) {
                try await bench.send()
                let events = try await bench.events(until: .succeeded)
                #expect(events.map(\.kind) == [.started, .progress, .succeeded])
                #expect(events.last?.message == "done with application/x-tar")
                #expect(events.last?.facts == ["k": "v"])
                #expect(events.first { $0.kind == .progress }?.fraction == 0.5)
                #expect(events.allSatisfy { $0.attempt == 1 && $0.microseconds > 1_600_000_000_000_000 })
            }
            let next = try await bench.broker.depth(of: QueueNames.jobs(for: bench.nextStage))
            #expect(next.messages == 1)
            // The worker has stopped: nothing was given back.
            #expect(try await bench.broker.depth(of: QueueNames.jobs(for: bench.stage)).messages == 0)
            #expect(bench.attempts() == 0)
        }
    }

    @Test func poisonMessageIsPutAsideAndTheLoopLives() async throws {
        try await WorkerBench.with { bench in
            try await bench.running(bench.worker { _, _ in bench.outcome() }) {
                let future = #"{"version": 99, "task": "123456789", "content_type": "x", "task_type": 0}"#
                for text in ["not json", "{}", future] {
                    try await bench.broker.publish(.job(Array(text.utf8), for: bench.stage))
                }
                try await bench.send()
                #expect(try await bench.events(until: .succeeded).last?.kind == .succeeded)
                var dead = try await bench.broker.consume(bench.deadQueue, prefetch: 3).makeAsyncIterator()
                var reasons: [String] = []
                for _ in 0..<3 {
                    let letter = try #require(await dead.next())
                    reasons.append(letter.properties.headers["x-retrace-reason"] ?? "")
                    try await letter.ack()
                }
                #expect(reasons.allSatisfy { !$0.isEmpty })
                #expect(reasons[2].contains("99"))
            }
        }
    }

    @Test func retryingJobFailsWithItsReasonAfterTheLimit() async throws {
        try await WorkerBench.with { bench in
            let failure = StageError(
                .ingest, .diskFull, "The disk is full.", disposition: .retry(after: .milliseconds(50)))
            let cleaned = Counter()
            let runs = Counter()
            let worker = bench.worker(
                settings: WorkerSettings(attempts: 3),
                cleanUp: { _, error in
                    #expect(error == failure)
                    cleaned.increment()
                }
            ) { _, _ in
                runs.increment()
                throw failure
            }
            try await bench.running(worker) {
                try await bench.send()
                let events = try await bench.events(until: .failed)
                #expect(events.filter { $0.kind == .retrying }.map(\.attempt) == [1, 2])
                #expect(events.last?.attempt == 3)
                #expect(events.last?.error == failure)
                try await bench.untilQueueIsEmpty()
            }
            #expect(runs.value == 3)
            #expect(cleaned.value == 1)
        }
    }

    @Test func waitThatSaysNothingAboutTheJobCostsNoAttempt() async throws {
        try await WorkerBench.with { bench in
            let runs = Counter()
            let worker = bench.worker(
                settings: WorkerSettings(attempts: 2), facts: { ["job": "\($0.taskID)"] },
                isWait: { $0.code == .diskFull }
            ) { _, _ in
                runs.increment()
                guard runs.value > 4 else {
                    throw StageError(
                        .ingest, .diskFull, "Another one is at work.", disposition: .retry(after: .milliseconds(50)))
                }
                return bench.outcome()
            }
            try await bench.running(worker) {
                try await bench.send()
                let events = try await bench.events(until: .failed, .succeeded)
                #expect(events.last?.kind == .succeeded)
                #expect(events.filter { $0.kind == .retrying }.map(\.attempt) == [1, 1, 1, 1])
                #expect(events.allSatisfy { $0.facts["job"] == bench.task.description })
            }
        }
    }

    @Test func failedStageIsNotTriedAgain() async throws {
        try await WorkerBench.with { bench in
            let failure = StageError(.ingest, .init("not-an-archive"), "The upload is no archive.")
            let runs = Counter()
            try await bench.running(
                bench.worker { _, _ in
                    runs.increment()
                    throw failure
                }
            ) {
                try await bench.send()
                #expect(try await bench.events(until: .failed, .retrying).last?.error == failure)
            }
            #expect(runs.value == 1)
            #expect(try await bench.broker.depth(of: QueueNames.jobs(for: bench.stage)).messages == 0)
        }
    }

    @Test func unforeseenErrorIsAnInternalErrorThatTellsNothing() async throws {
        struct Secret: Error { let path = "/srv/secret" }
        try await WorkerBench.with { bench in
            try await bench.running(bench.worker { _, _ in throw Secret() }) {
                try await bench.send()
                let error = try await bench.events(until: .failed).last?.error
                #expect(error?.code == .internalError)
                #expect(error?.reason.contains("secret") == false)
            }
        }
    }

    @Test func nextStageWithoutAQueueFailsTheTask() async throws {
        try await WorkerBench.with { bench in
            let worker = bench.worker { _, _ in
                JobOutcome(next: [.init(bench.job, routingKey: "nowhere")], message: "done")
            }
            try await bench.running(worker) {
                try await bench.send()
                let events = try await bench.events(until: .failed, .succeeded)
                #expect(events.map(\.kind) == [.started, .failed])
                #expect(events.last?.error?.code == .internalError)
            }
        }
    }

    @Test func jobOfAWithdrawnTaskIsDroppedWithoutAWord() async throws {
        try await WorkerBench.with { bench in
            let runs = Counter()
            let worker = bench.worker { job, _ in
                runs.increment()
                return bench.outcome("for \(job.taskID)")
            }
            try await bench.running(worker) {
                let gone = IngestJob(task: .random(), contentType: "x", taskType: 0)
                try await bench.broker.publish(.job(JobCoding.encode(gone), for: bench.stage))
                try await bench.send()
                #expect(try await bench.events(until: .succeeded).last?.message == "for \(bench.task)")
            }
            #expect(runs.value == 1)
        }
    }

    @Test func jobOfADeadWorkerComesAgainAndIsCounted() async throws {
        try await WorkerBench.with { bench in
            // What a killed worker leaves behind: an attempt in the ledger and a delivery that nobody settled.
            let dying = try MessageBroker(bench.broker.address, topology: Topology(), name: "victim", logger: quiet)
            try await dying.connect()
            try await bench.send()
            var taken = try await dying.consume(QueueNames.jobs(for: bench.stage), prefetch: 1).makeAsyncIterator()
            _ = try #require(await taken.next())
            let ledger = AttemptLedger(directory: bench.taskDirectory.appending("attempts"), name: "ingest")
            #expect(try await ledger.record() == 1)
            await dying.close()
            try await bench.running(bench.worker { _, context in bench.outcome("attempt \(context.attempt)") }) {
                let events = try await bench.events(until: .succeeded)
                #expect(events.last?.message == "attempt 2")
            }
        }
    }

    @Test func lostBrokerInTheMiddleOfAJobIsNotTheJobsFault() async throws {
        try await WorkerBench.with { bench in
            let other = try MessageBroker(bench.broker.address, topology: Topology(), name: "victim", logger: quiet)
            try await other.connect()
            // The stage ends well, but what it made cannot be published any more.
            let worker = bench.worker(on: other, settings: WorkerSettings(attempts: 1)) { _, _ in
                await other.close()
                return bench.outcome("lost")
            }
            try await bench.send()
            try await worker.run()
            #expect(bench.attempts() == 0)
            try await bench.running(
                bench.worker(settings: WorkerSettings(attempts: 1)) { _, _ in bench.outcome("again") }
            ) {
                let events = try await bench.events(until: .succeeded, .failed)
                #expect(events.last?.message == "again")
            }
            #expect(try await bench.broker.depth(of: QueueNames.jobs(for: bench.nextStage)).messages == 1)
        }
    }

    @Test func jobThatKillsItsWorkersFailsWithAReason() async throws {
        try await WorkerBench.with { bench in
            let ledger = AttemptLedger(directory: bench.taskDirectory.appending("attempts"), name: "ingest")
            for expected in 1...3 { #expect(try await ledger.record() == expected) }
            let runs = Counter()
            let worker = bench.worker(settings: WorkerSettings(attempts: 3)) { _, _ in
                runs.increment()
                return bench.outcome()
            }
            try await bench.running(worker) {
                try await bench.send()
                let event = try #require(try await bench.events(until: .failed).last)
                #expect(event.error?.code == .tooManyAttempts)
                #expect(event.message.contains("3 times"))
            }
            #expect(runs.value == 0)
        }
    }

    @Test func redeliveredJobThatIsDonePublishesAgain() async throws {
        try await WorkerBench.with { bench in
            try await bench.running(bench.worker(settings: WorkerSettings(attempts: 1)) { _, _ in bench.outcome() }) {
                // Acknowledging is what a worker does last: without it the same job comes again, whole.
                for _ in 0..<3 {
                    try await bench.send()
                    #expect(try await bench.events(until: .succeeded, .failed).last?.kind == .succeeded)
                }
            }
            #expect(try await bench.broker.depth(of: QueueNames.jobs(for: bench.nextStage)).messages == 3)
        }
    }

    @Test func stoppedWorkerFinishesItsJobWithinTheGrace() async throws {
        try await WorkerBench.with { bench in
            let (started, begun) = AsyncStream<Void>.makeStream()
            let (stopping, release) = AsyncStream<Void>.makeStream()
            let worker = bench.worker { _, _ in
                begun.yield()
                for await _ in stopping { break }
                return bench.outcome("finished all the same")
            }
            try await bench.send()
            try await bench.running(worker) {
                for await _ in started { break }
                release.yield()
            }
            #expect(try await bench.events(until: .succeeded).last?.message == "finished all the same")
        }
    }

    @Test func jobThatOutlastsTheGraceGoesBackUncounted() async throws {
        try await WorkerBench.with { bench in
            let (started, begun) = AsyncStream<Void>.makeStream()
            let worker = bench.worker(settings: WorkerSettings(grace: .milliseconds(20))) { _, _ in
                begun.yield()
                try await Task.sleep(for: .seconds(600))
                return bench.outcome()
            }
            try await bench.send()
            try await bench.running(worker) {
                for await _ in started { break }
            }
            #expect(bench.attempts() == 0)
            var again = try await bench.broker.consume(QueueNames.jobs(for: bench.stage), prefetch: 1)
                .makeAsyncIterator()
            #expect(await again.next()?.isRedelivered == true)
        }
    }

    @Test func requesterHearsOfStartAndVerdict() async throws {
        let reply: @Sendable (JobStanding) -> (any Encodable & Sendable)? = { standing in
            switch standing {
            case .started: IngestReply.pickedUp
            case .succeeded: IngestReply.accepted
            case .failed(let error): IngestReply.refused(error)
            }
        }
        let refusal = StageError(.ingest, .init("bomb"), "The archive is a bomb.")
        for failure in [nil, refusal] {
            try await WorkerBench.with { bench in
                let worker = bench.worker(reply: reply) { _, _ in
                    if let failure { throw failure }
                    return bench.outcome()
                }
                try await bench.running(worker) {
                    let replies = try await bench.broker.request(.job(JobCoding.encode(bench.job), for: bench.stage))
                    var heard: [IngestReply] = []
                    for _ in 0..<2 {
                        let body = try await replies.next(within: .seconds(120)).body
                        heard.append(try JobCoding.decode(IngestReply.self, from: body))
                    }
                    #expect(heard == [.pickedUp, failure.map { .refused($0) } ?? .accepted])
                }
            }
        }
    }

    @Test func jobsRunSideBySideUpToTheConcurrency() async throws {
        try await WorkerBench.with { bench in
            let running = Counter()
            let (both, arrived) = AsyncStream<Void>.makeStream()
            let worker = bench.worker(settings: WorkerSettings(concurrency: 2)) { _, _ in
                // Ends only when a second job runs beside the first.
                if running.increment() == 2 { arrived.finish() }
                for await _ in both {}
                return bench.outcome()
            }
            try await bench.running(worker) {
                try await bench.send()
                try await bench.send()
                _ = try await bench.events(until: .succeeded)
                _ = try await bench.events(until: .succeeded)
            }
            #expect(running.value == 2)
        }
    }
}
