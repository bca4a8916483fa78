import CrashModel
import JobMessages
import Logging
import MessageQueue
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import GatewayAPI
@testable import gateway

/// A job for ingest and the wait for its verdict, over a real broker.
@Suite struct IngestRequestTests {
    private let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// - Parameter body: Is given a broker, a queue's routing key of its own, and a gateway that hands its jobs to it.
    private func withQueue(
        pickupTimeout: Duration = .milliseconds(50), verdictTimeout: Duration = .seconds(60),
        _ body: (MessageBroker, String, GatewayDependencies) async throws -> Void
    ) async throws {
        let stage = "ingest-\(UInt64.random(in: 0...UInt64.max))"
        let broker = try MessageBroker(
            BrokerAddress(url: await PrivateBroker.sharedURL()), topology: .retrace(stages: [stage]), name: "test",
            logger: quiet)
        try await broker.connect()
        try await ScratchDirectory.with { directory in
            var limits = GatewayLimits(pickupTimeout: pickupTimeout, verdictTimeout: verdictTimeout)
            limits.minFreeMebibytes = 0
            let (given, logger) = (limits, quiet)
            let dependencies = GatewayDependencies(
                store: try TaskStore(at: directory.appending("tasks.sqlite")), active: ActiveTasks(), spool: directory,
                limits: given, mirrors: { [] },
                submit: { ingestReplies(to: $0, through: broker, limits: given, routingKey: stage) },
                isIngestServed: { await isIngestServed(by: broker, logger: logger, routingKey: stage) },
                logger: quiet)
            try await body(broker, stage, dependencies)
        }
        await broker.close()
    }

    private func job() -> IngestJob {
        IngestJob(task: TaskID.random(), contentType: "application/x-tar", taskType: 0, serverPath: nil)
    }

    @Test func jobOfAQueueThatNobodyServesIsGivenUp() async throws {
        try await withQueue { broker, stage, gateway in
            #expect(await gateway.isIngestServed() == false)
            let lost = job()
            #expect(await gateway.verdict(on: lost) == .notPickedUp)
            let depth = try await broker.depth(of: QueueNames.jobs(for: stage))
            #expect(depth.messages == 1)
        }
    }

    /// The one worker has an archive in hand that takes long: the others are kept, and get their turn.
    @Test func jobThatWaitsForABusyWorkerIsKeptAndComesToItLater() async throws {
        try await withQueue(verdictTimeout: .seconds(2)) { broker, stage, gateway in
            let deliveries = try await broker.consume(QueueNames.jobs(for: stage), prefetch: 1)
            try await broker.publish(.job(try JobCoding.encode(job()), for: stage))
            var jobs = deliveries.makeAsyncIterator()
            let large = try #require(await jobs.next())
            let waiting = job()
            #expect(await gateway.verdict(on: waiting) == .stillWorking)
            try await large.ack()
            let next = try #require(await jobs.next())
            #expect(try JobCoding.decode(IngestJob.self, from: next.body).taskID == waiting.taskID)
            try await next.ack()
            await deliveries.cancel()
        }
    }

    @Test func verdictOnAJobThatHadToWaitIsHeard() async throws {
        try await withQueue { broker, stage, gateway in
            let deliveries = try await broker.consume(QueueNames.jobs(for: stage), prefetch: 1)
            try await broker.publish(.job(try JobCoding.encode(job()), for: stage))
            var jobs = deliveries.makeAsyncIterator()
            let large = try #require(await jobs.next())
            let (asked, ask) = AsyncStream.makeStream(of: Void.self)
            let (logger, own) = (quiet, gateway)
            let patient = GatewayDependencies(
                store: own.store, active: own.active, spool: own.spool, limits: own.limits, mirrors: own.mirrors,
                submit: own.submit,
                isIngestServed: {
                    let isServed = await own.isIngestServed()
                    ask.yield()
                    return isServed
                }, logger: logger)
            let waiting = job()
            async let verdict = patient.verdict(on: waiting)
            // The time for being picked up is over.
            _ = await asked.first { _ in true }
            try await large.ack()
            let next = try #require(await jobs.next())
            for reply in [IngestReply.pickedUp, .accepted] { try await broker.reply(to: next, JobCoding.encode(reply)) }
            try await next.ack()
            #expect(await verdict == .accepted)
            await deliveries.cancel()
        }
    }

    @Test func brokerThatIsAwayServesNobody() async throws {
        try await withQueue { broker, _, gateway in
            await broker.close()
            #expect(await gateway.isIngestServed() == false)
        }
    }
}
