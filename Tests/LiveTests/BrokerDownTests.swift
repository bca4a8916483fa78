import TestFixtures
import Testing

extension LiveTests {
    @Suite("RabbitMQ goes away and comes back")
    struct BrokerDownTests {
        @Test func uploadIsTurnedAwayAndWhatWasInWorkEndsWell() async throws {
            let stack = try runningStack()
            let inWork = try await stack.submit(try stack.crashFiles("threads"))
            try await stack.node.stop()
            let archive = try await stack.packed(try stack.crashFiles("plain"))
            let before = FolderContents.names(in: stack.spool)
            let answer = try await stack.create(archive)
            #expect(answer.status == 503 && answer.header("Retry-After") != nil, "\(answer)")
            #expect(FolderContents.names(in: stack.spool) == before)
            try await stack.node.startAgain()
            #expect(try await stack.end(of: inWork).status == "FINISHED_SUCCESS")
            var task = inWork
            try await stack.until("uploads are taken again") {
                guard let taken = try await stack.create(archive).task() else { return false }
                task = taken
                return true
            }
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            #expect(stack.remains() == [])
        }
    }
}
