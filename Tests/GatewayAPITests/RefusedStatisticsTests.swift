import CrashModel
import GatewayAPI
import HTTPTypes
import HummingbirdTesting
import JobMessages
import SystemPackage
import TaskStorage
import Testing

/// What `/stats` and `/metrics` say of uploads that became no task.
@Suite struct RefusedStatisticsTests {
    private let error = StageError(.ingest, StageError.Code("not-an-archive"), "The upload is not a tar archive.")

    /// Ingest tells everybody that the task has failed before it tells the gateway; both ways are possible.
    @Test(arguments: [true, false])
    func refusedUploadIsNoFailedTask(eventComesFirst: Bool) async throws {
        let (jobs, handOver) = AsyncStream.makeStream(of: IngestJob.self)
        let (answers, answer) = AsyncThrowingStream.makeStream(of: IngestReply.self)
        var limits = GatewayLimits()
        limits.allowMetrics = true
        try await GatewayBench.run(
            limits: limits,
            ingest: { job, _ in
                handOver.yield(job)
                return answers
            }
        ) { bench, client in
            func tell(_ task: TaskID) async throws -> EventOutcome {
                try await recordEvent(
                    TaskEvent(
                        task: task, stage: .ingest, kind: .failed, microseconds: 5, message: error.reason, error: error),
                    store: bench.store, active: bench.active, logger: bench.dependencies.logger)
            }
            async let upload = client.upload()
            let job = try #require(await jobs.first { _ in true })
            answer.yield(.pickedUp)
            if eventComesFirst { #expect(try await tell(job.taskID) == .finished(.failure)) }
            answer.yield(.refused(error))
            #expect(try await upload.status.code == 403)
            if !eventComesFirst { #expect(try await tell(job.taskID) == .unknownTask) }
            #expect(try await client.get("/stats.json").text.contains("\"failure\" : 0"))
            #expect(try await client.get("/metrics").text.contains("retrace_tasks_finished{result=\"fail\"} 0\n"))
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func uploadsThatFindTheServerFullAreCountedWhateverIsFull() async throws {
        let backlog = QueueBacklog(limit: 1)
        var limits = GatewayLimits(maxParallelTasks: 0)
        limits.allowMetrics = true
        try await GatewayBench.run(limits: limits, backlog: backlog) { bench, client async throws in
            #expect(try await client.upload().status.code == 503)
            backlog.jobs = 1
            #expect(try await client.upload().status.code == 503)
            #expect(try await client.get("/stats.json").text.contains("\"denied\" : 2"))
            #expect(try await client.get("/metrics").text.contains("\nretrace_tasks_overload 2\n"))
            #expect(try await bench.store.totals().denied == 2)
        }
    }

    @Test func countersOfMetricsNeverGoDown() async throws {
        var limits = GatewayLimits()
        limits.allowMetrics = true
        try await GatewayBench.run(limits: limits) { bench, client in
            let tasks = [try await bench.makeTask([.started, .failed]), try await bench.makeTask([.succeeded])]
            for (directory, _) in tasks { try await bench.store.remove(directory.task) }
            let text = try await client.get("/metrics").text
            #expect(text.contains("retrace_tasks_finished{result=\"fail\"} 1\n"))
            #expect(text.contains("retrace_tasks_finished{result=\"success\"} 1\n"))
        }
    }

    /// Upstream said `None` there, which Prometheus does not read.
    @Test func metricsAreToldWithoutTheFreeSpaceWhereThatIsUnknown() async throws {
        var limits = GatewayLimits()
        limits.allowMetrics = true
        try await GatewayBench.run(limits: limits, freeBytes: { _ in throw Errno.ioError }) { _, client in
            let response = try await client.get("/metrics")
            #expect(response.status == .ok && response.isWellFormed())
            #expect(!response.text.contains("retrace_savedir_free_bytes"))
            #expect(response.text.hasPrefix("# HELP retrace_tasks_running "))
        }
    }
}
