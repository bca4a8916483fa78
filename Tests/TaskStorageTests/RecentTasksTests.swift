import CrashModel
import TaskStorage
import TestFixtures
import Testing

/// What is remembered of tasks is never older than the database.
@Suite struct RecentTasksTests {
    @Test func aPollAfterAnEventTellsTheEvent() async throws {
        try await withStore { store, id in
            #expect(try await store.snapshot(of: id)?.task.stage == nil)
            _ = try await store.apply(event(id, .ingest, .started, at: 1, facts: ["signal": "SIGSEGV"]))
            #expect(try await store.snapshot(of: id)?.task.stage == .ingest)
            #expect(try await store.snapshot(of: id)?.facts == ["signal": "SIGSEGV"])
            _ = try await store.apply(event(id, .ingest, .progress, at: 2))
            #expect(try await store.snapshot(of: id)?.lastEvent == 2)
        }
    }

    @Test func aTaskThatIsRemovedIsNotOpenedAnyMore() async throws {
        try await withStore { store, id in
            let task = try #require(try await store.task(id))
            #expect(try await store.authenticate(id, password: "secret") == .granted(task))
            try await store.remove(id)
            #expect(try await store.authenticate(id, password: "secret") == .unknownTask)
            #expect(try await store.snapshot(of: id) == nil)
        }
    }

    @Test func theEndOfAnOlderTaskMovesTheOthersUp() async throws {
        try await withStore { store, id in
            let later = TaskID.random()
            try await store.insert(later, type: 0, password: PasswordHash(of: "other"), microseconds: .max)
            #expect(try await store.snapshot(of: later)?.ahead == 1)
            _ = try await store.apply(event(id, .retrace, .succeeded, at: 3))
            #expect(try await store.snapshot(of: later)?.ahead == 0)
        }
    }

    @Test func aNewTaskDoesNotMakeOthersWaitForIt() async throws {
        try await withStore { store, id in
            #expect(try await store.snapshot(of: id)?.ahead == 0)
            try await store.insert(TaskID.random(), type: 0, password: PasswordHash(of: "other"), microseconds: .max)
            #expect(try await store.snapshot(of: id)?.ahead == 0)
        }
    }

    @Test func whoPollsWhileEventsComeSeesTheLastOneInTheEnd() async throws {
        try await withStore { store, id in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { for _ in 0..<200 { _ = try await store.snapshot(of: id) } }
                }
                group.addTask {
                    for number in 1...100 {
                        _ = try await store.apply(event(id, .ingest, .progress, at: Int64(number)))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.snapshot(of: id)?.lastEvent == 100)
        }
    }
}
