import CrashModel
import GRDB
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite struct TaskStoreTests {
    @Test func newTaskIsPendingWithoutAStage() async throws {
        try await withStore { store, id in
            let task = try #require(try await store.task(id))
            #expect(task.state == .pending)
            #expect(task.stage == nil && task.message == nil && task.failure == nil && task.finished == nil)
            #expect(try await store.pendingTasks() == [id])
        }
    }

    @Test func passwordOpensItsOwnTaskOnly() async throws {
        try await withStore { store, id in
            let task = try #require(try await store.task(id))
            #expect(try await store.authenticate(id, password: "secret") == .granted(task))
            #expect(try await store.authenticate(id, password: "Secret") == .wrongPassword)
            #expect(try await store.authenticate(id, password: nil) == .wrongPassword)
            #expect(try await store.authenticate(TaskID("1"), password: "secret") == .unknownTask)
        }
    }

    @Test func passwordIsNowhereInTheDatabaseFile() async throws {
        try await ScratchDirectory.with { directory in
            let store = try TaskStore(at: directory.appending("tasks.sqlite"))
            let password = TaskPassword().text
            try await store.insert(
                TaskID.random(), type: 0, password: PasswordHash(of: password), microseconds: 0)
            for name in ["tasks.sqlite", "tasks.sqlite-wal"] {
                let file = try #require(try ResultFile(at: directory.appending(name)))
                let bytes = try file.read(at: 0, count: file.byteCount)
                #expect(!String(decoding: bytes, as: UTF8.self).contains(password))
                #expect(mode(of: directory.appending(name)) == 0o600)
            }
        }
    }

    @Test func takenIdAndUnknownTypeAreRefusedByTheSchema() async throws {
        try await withStore { store, id in
            await #expect(throws: DatabaseError.self) {
                try await store.insert(id, type: 0, password: PasswordHash(of: "x"), microseconds: 1)
            }
            await #expect(throws: DatabaseError.self) {
                try await store.insert(TaskID.random(), type: 9, password: PasswordHash(of: "x"), microseconds: 1)
            }
        }
    }

    @Test func removedTaskIsGoneWithItsEvents() async throws {
        try await withStore { store, id in
            _ = try await store.apply(event(id, .ingest, .started, at: 1, facts: ["signal": "SIGSEGV"]))
            try await store.remove(id)
            #expect(try await store.task(id) == nil)
            #expect(try await store.events(of: id).isEmpty)
            #expect(try await store.contains(id) == false)
            #expect(try await store.apply(event(id, .ingest, .succeeded, at: 2)) == .unknownTask)
        }
    }

    @Test func olderUnfinishedTasksAreCounted() async throws {
        try await withStore { store, id in
            let late = TaskID.random()
            try await store.insert(late, type: 0, password: PasswordHash(of: "x"), microseconds: 5)
            let task = try #require(try await store.task(late))
            #expect(try await store.pendingTasks(before: task) == 1)
            _ = try await store.apply(event(id, .retrace, .succeeded, at: 9))
            #expect(try await store.pendingTasks(before: task) == 0)
            #expect(try await store.countByState() == [.pending: 1, .success: 1])
        }
    }

    @Test func databaseOutlivesTheProcess() async throws {
        try await ScratchDirectory.with { directory in
            let path = directory.appending("tasks.sqlite")
            let task = TaskID.random()
            do {
                let store = try TaskStore(at: path)
                try await store.insert(task, type: 2, password: PasswordHash(of: "x"), microseconds: 7)
            }
            let store = try TaskStore(at: path)
            #expect(try await store.task(task)?.type == 2)
        }
    }

    @Test func fileThatIsNoDatabaseIsRefused() throws {
        try ScratchDirectory.with { directory in
            try write(String(repeating: "not a database ", count: 100), to: directory.appending("tasks.sqlite"))
            #expect(throws: DatabaseError.self) { try TaskStore(at: directory.appending("tasks.sqlite")) }
        }
    }
}
