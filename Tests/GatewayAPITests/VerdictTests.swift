import CrashModel
import GatewayAPI
import HTTPTypes
import HummingbirdTesting
import JobMessages
import TaskStorage
import Testing

@Suite struct VerdictTests {
    private struct BrokerDown: Error {}

    @Test func brokerDownIs503AndNothingIsLeft() async throws {
        try await GatewayBench.run(ingest: { _, _ in AsyncThrowingStream { $0.finish(throwing: BrokerDown()) } }) {
            bench, client in
            let response = try await client.upload()
            #expect(response.status.code == 503)
            #expect(response.headers[.retryAfter] == "30")
            #expect(response.isWellFormed() && response.text.contains("workers"))
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func noWorkerIs503AndNothingIsLeft() async throws {
        let limits = GatewayLimits(pickupTimeout: .milliseconds(20))
        try await GatewayBench.run(limits: limits, ingest: { _, _ in repliesThenSilence([]) }) { bench, client in
            let response = try await client.upload()
            #expect(response.status.code == 503)
            #expect(response.headers[.retryAfter] == "30")
            #expect(try await bench.nothingIsLeft())
        }
    }

    /// One archive that takes ingest long keeps the others waiting, and none of them is lost.
    @Test func uploadThatWaitsForABusyWorkerIs201AndItsTaskStays() async throws {
        let limits = GatewayLimits(pickupTimeout: .milliseconds(20), verdictTimeout: .seconds(2))
        var extras = GatewayBench.Extras()
        extras.isIngestServed = { true }
        try await GatewayBench.run(limits: limits, ingest: { _, _ in repliesThenSilence([]) }, extras: extras) {
            bench, client in
            let response = try await client.upload()
            #expect(response.status.code == 201)
            let task = try TaskID(try #require(response.headers[.taskID]))
            #expect(try TaskDirectory.tasks(in: bench.spool) == [task])
            #expect(try await bench.store.pendingTasks() == [task] && bench.active.count == 1)
            #expect(try await bench.store.unansweredTasks().isEmpty)
        }
    }

    @Test func verdictThatComesAfterAWaitForABusyWorkerIsTold() async throws {
        let error = StageError(.ingest, StageError.Code("not-an-archive"), "That is no archive.")
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        var extras = GatewayBench.Extras()
        extras.isIngestServed = {
            ask.yield()
            return true
        }
        let ingest: GatewayBench.Ingest = { _, _ in
            AsyncThrowingStream { stream in
                let worker = Task {
                    _ = await asked.first { _ in true }
                    for reply in [IngestReply.pickedUp, .refused(error)] { stream.yield(reply) }
                    stream.finish()
                }
                stream.onTermination = { _ in worker.cancel() }
            }
        }
        try await GatewayBench.run(
            limits: GatewayLimits(pickupTimeout: .milliseconds(20)), ingest: ingest, extras: extras
        ) { bench, client in
            let response = try await client.upload()
            #expect(response.status.code == 403 && response.text.hasPrefix("That is no archive.\n"))
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func slowVerdictIs201AndTheStatusTellsTheRest() async throws {
        let limits = GatewayLimits(pickupTimeout: .seconds(2), verdictTimeout: .seconds(3))
        try await GatewayBench.run(limits: limits, ingest: { _, _ in repliesThenSilence([.pickedUp]) }) {
            bench, client in
            let response = try await client.upload()
            #expect(response.status.code == 201)
            let task = try TaskID(try #require(response.headers[.taskID]))
            let error = StageError(.ingest, StageError.Code("bomb"), "The archive unpacks to too much.")
            try await recordEvent(
                TaskEvent(
                    task: task, stage: .ingest, kind: .failed, microseconds: 5, message: error.reason, error: error),
                store: bench.store, active: bench.active, logger: bench.dependencies.logger)
            let status = try await client.get("/\(task)", password: response.headers[.taskPassword])
            #expect(status.headers[.taskStatus] == "FINISHED_FAILURE")
            #expect(status.text.contains("The archive unpacks to too much."))
            #expect(bench.active.count == 0)
        }
    }

    @Test func replyLostAfterPickupIs201BecauseTheJobIsInWork() async throws {
        try await GatewayBench.run(ingest: { _, _ in
            AsyncThrowingStream { stream in
                stream.yield(.pickedUp)
                stream.finish(throwing: BrokerDown())
            }
        }) { bench, client async throws in
            #expect(try await client.upload().status.code == 201)
            #expect(bench.active.count == 1)
        }
    }

    @Test func refusalHasItsStatusReasonAndAdviceAndLeavesNothing() async throws {
        let error = StageError(
            .ingest, StageError.Code("something-new"), "The disk made a noise.", advice: "Tell the operator.")
        try await GatewayBench.run(ingest: { _, _ in replies([.pickedUp, .refused(error)]) }) { bench, client in
            let response = try await client.upload()
            #expect(response.status.code == 500)
            #expect(response.text == "The disk made a noise.\nTell the operator.\n")
            #expect(response.isWellFormed())
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test(arguments: [
        ("not-an-archive", 403), ("unsafe-member", 403), ("missing-member", 403), ("not-a-coredump", 403),
        ("unpacked-too-large", 413), ("decompression-bomb", 413), ("unsupported-content-type", 415),
        ("wrong-task-type", 403), ("not-a-vmcore", 403), ("damaged-vmcore", 403), ("disk-full", 507),
        ("upload-missing", 500), ("internal-error", 500),
    ])
    func refusalsHaveUpstreamsStatuses(code: String, status: Int) async throws {
        let error = StageError(.ingest, StageError.Code(code), "Because.")
        try await GatewayBench.run(ingest: { _, _ in replies([.refused(error)]) }) { bench, client async throws in
            #expect(try await client.upload().status.code == status)
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func eventOfARefusedTaskIsIgnored() async throws {
        try await GatewayBench.run { bench, _ in
            let outcome = try await recordEvent(
                TaskEvent(task: TaskID.random(), stage: .ingest, kind: .failed, microseconds: 5, message: "no"),
                store: bench.store, active: bench.active, logger: bench.dependencies.logger)
            #expect(outcome == .unknownTask)
        }
    }
}
