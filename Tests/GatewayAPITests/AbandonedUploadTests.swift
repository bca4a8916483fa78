import CrashModel
import GatewayAPI
import HTTPTypes
import HummingbirdTesting
import SystemPackage
import TaskStorage
import Testing

@Suite struct AbandonedUploadTests {
    @Test func restartRemovesUploadsThatNobodyWasToldOf() async throws {
        try await GatewayBench.run { bench, client in
            let answered = try TaskID(try #require(try await client.upload().headers[.taskID]))
            let (unanswered, _) = try await bench.makeTask(isAnswered: false)
            let half = try TaskDirectory.create(in: bench.spool)
            try write("half".utf8, to: half.upload)
            let strange = try TaskDirectory.create(in: bench.spool)
            try write("result".utf8, to: strange.backtrace)
            let removed = try await removeAbandonedUploads(
                store: bench.store, spool: bench.spool, logger: bench.dependencies.logger)
            #expect(removed == 2)
            let left = try TaskDirectory.tasks(in: bench.spool)
            #expect(Set(left) == [answered, strange.task])
            #expect(!left.contains(half.task) && !left.contains(unanswered.task))
            #expect(try await bench.store.pendingTasks() == [answered])
        }
    }
}
