import CrashModel
import HTTPTypes
import HummingbirdTesting
import JobMessages
import TaskStorage
import Testing

@testable import GatewayAPI

/// Upstream counted the tasks and made another one in two steps, so that more came in than might be.
@Suite struct AdmissionTests {
    @Test func ofManyUploadsAtOnceNoMoreAreTakenThanMayBe() async throws {
        let (limit, all) = (3, 24)
        let (waiting, wait) = AsyncStream.makeStream(of: AsyncThrowingStream<IngestReply, any Error>.Continuation.self)
        try await GatewayBench.run(
            limits: GatewayLimits(maxParallelTasks: limit),
            ingest: { _, _ in
                AsyncThrowingStream { stream in
                    stream.yield(.pickedUp)
                    wait.yield(stream)
                }
            }
        ) { bench, client in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<all { group.addTask { try await client.upload().status.code } }
                var statuses: [Int] = []
                // Those that were taken wait for ingest, so the others are answered first.
                while statuses.count < all - limit, let status = try await group.next() { statuses.append(status) }
                #expect(statuses.allSatisfy { $0 == 503 })
                #expect(bench.active.count == limit)
                var taken = 0
                for await stream in waiting {
                    stream.yield(.accepted)
                    stream.finish()
                    taken += 1
                    if taken == limit { break }
                }
                while let status = try await group.next() { statuses.append(status) }
                return statuses
            }
            #expect(statuses.filter { $0 == 201 }.count == limit)
            #expect(try TaskDirectory.tasks(in: bench.spool).count == limit)
            #expect(try await bench.store.totals().denied == all - limit)
        }
    }

    /// The spool's path is so long that a task's directory still has a name and its upload has none.
    @Test func bodyThatCannotBeStoredIs500AndLeavesNothing() async throws {
        try await GatewayBench.run(extras: .init(spoolPathLength: 4084)) { bench, client in
            let response = try await client.upload()
            #expect(response.status.code == 500 && response.isWellFormed())
            #expect(response.text.hasPrefix("The server could not store the upload.\n"))
            #expect(try await bench.nothingIsLeft())
        }
    }
}
