import CrashModel
import GRDB
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite struct OutcomeTests {
    private func end(
        _ store: TaskStore, _ id: TaskID, retrace microseconds: Int64, release: String = "debian-12-x86_64"
    ) async throws {
        let release = try ReleaseID(release)
        try await store.markAnswered(id)
        _ = try await store.apply(event(id, .resolve, .started, at: 100, release: release))
        _ = try await store.apply(event(id, .resolve, .succeeded, at: 110, release: release))
        _ = try await store.apply(event(id, .retrace, .started, at: 200))
        _ = try await store.apply(event(id, .retrace, .succeeded, at: 200 + microseconds))
    }

    @Test func historyIsTheMedianOfTheReleasesOwnTasks() async throws {
        try await withStore { store, first in
            let release = try ReleaseID("debian-12-x86_64")
            #expect(try await store.history(of: release).tasks == 0)
            try await end(store, first, retrace: 500)
            for microseconds in [10, 20, 30, 40] as [Int64] {
                let id = TaskID.random()
                try await store.insert(id, type: 0, password: PasswordHash(of: "x"), microseconds: 0)
                try await end(store, id, retrace: microseconds)
            }
            let stranger = TaskID.random()
            try await store.insert(stranger, type: 0, password: PasswordHash(of: "x"), microseconds: 0)
            try await end(store, stranger, retrace: 9_000_000, release: "fedora-40-x86_64")
            let history = try await store.history(of: release)
            #expect(history.tasks == 5 && history.medians == [.resolve: 10, .retrace: 30])
            #expect(try await store.history(of: nil).tasks == 6)
        }
    }

    @Test func historyOutlivesItsTasks() async throws {
        try await withStore { store, id in
            try await end(store, id, retrace: 50)
            try await store.remove(id)
            #expect(try await store.history(of: ReleaseID("debian-12-x86_64")).tasks == 1)
        }
    }

    @Test func outcomeHoldsNothingThatLeadsBackToTheTask() async throws {
        try await ScratchDirectory.with { directory in
            let path = directory.appending("tasks.sqlite")
            let store = try TaskStore(at: path)
            let id = TaskID.random()
            try await store.insert(id, type: 0, password: PasswordHash(of: "secret"), microseconds: 0)
            try await end(store, id, retrace: 50)
            try await store.remove(id)
            let queue = try DatabaseQueue(path: path.string)
            let rows = try await queue.read { db in
                try ["outcome", "outcome_stage", "outcome_package", "outcome_build_id", "denial"].map {
                    try Row.fetchAll(db, sql: "SELECT * FROM \($0)").map { "\($0)" }.joined()
                }.joined()
            }
            #expect(rows.contains("debian-12-x86_64"))
            #expect(!rows.contains(id.description) && !rows.contains("secret"))
        }
    }

    @Test func lateFactsAreTakenIntoTheOutcomeOnce() async throws {
        try await withStore { store, id in
            try await store.markAnswered(id)
            _ = try await store.apply(event(id, .retrace, .succeeded, at: 9))
            #expect(try await store.statistics(microseconds: 10).architectures.isEmpty)
            _ = try await store.apply(
                event(id, .resolve, .succeeded, at: 4, release: try ReleaseID("debian-12-x86_64")))
            let statistics = try await store.statistics(microseconds: 10)
            #expect(statistics.success == 1 && statistics.architectures.map(\.count) == [1])
        }
    }

    @Test func taskThatNobodyWasToldOfIsInNoStatistics() async throws {
        try await withStore { store, id in
            _ = try await store.apply(event(id, .ingest, .failed, at: 9))
            _ = try await store.apply(event(id, .ingest, .started, at: 4))
            #expect(try await store.statistics(microseconds: 10).failure == 0)
            try await store.remove(id)
            let statistics = try await store.statistics(microseconds: 10)
            #expect(statistics.success == 0 && statistics.failure == 0 && statistics.days.isEmpty)
        }
    }

    @Test func taskThatEndedBeforeItsClientWasToldCountsFromThenOn() async throws {
        try await withStore { store, id in
            _ = try await store.apply(event(id, .retrace, .started, at: 4))
            _ = try await store.apply(event(id, .retrace, .succeeded, at: 9))
            #expect(try await store.history(of: nil).tasks == 0)
            for _ in 0..<2 { try await store.markAnswered(id) }
            #expect(try await store.history(of: nil).medians == [.retrace: 5])
            #expect(try await store.statistics(microseconds: 10).success == 1)
        }
    }

    @Test func eventsAreNumberedAndProgressTakesANewNumber() async throws {
        try await withStore { store, id in
            _ = try await store.apply(event(id, .build, .started, at: 1))
            _ = try await store.apply(event(id, .build, .progress, at: 2))
            _ = try await store.apply(event(id, .build, .progress, at: 3, message: "newer"))
            _ = try await store.apply(event(id, .build, .progress, at: 3, message: "the same again"))
            let snapshot = try #require(try await store.snapshot(of: id, eventsAfter: 1))
            #expect(snapshot.lastEvent == 3)
            #expect(snapshot.events.map(\.number) == [3] && snapshot.events.map(\.message) == ["newer"])
            #expect(try await store.snapshot(of: id, eventsAfter: 3)?.events == [])
        }
    }

    @Test func listenersLearnOfChangesAndOfTheRemoval() async throws {
        try await withStore { store, id in
            var changes = store.changes(of: id).makeAsyncIterator()
            _ = try await store.apply(event(id, .build, .started, at: 1))
            _ = try await store.apply(event(id, .build, .progress, at: 2))
            #expect(await changes.next() != nil)
            try await store.remove(id)
            #expect(await changes.next() != nil)
        }
    }

    @Test func databaseOfTheVersionBeforeIsBroughtUpToDateWithItsEvents() async throws {
        try await ScratchDirectory.with { directory in
            let path = directory.appending("tasks.sqlite")
            let id = TaskID.random()
            do {
                let store = try TaskStore(at: path)
                try await store.insert(id, type: 0, password: PasswordHash(of: "x"), microseconds: 0)
                _ = try await store.apply(event(id, .ingest, .started, at: 1))
                _ = try await store.apply(event(id, .ingest, .succeeded, at: 2))
            }
            let queue = try DatabaseQueue(path: path.string)
            try await queue.write { db in
                try db.execute(
                    sql: """
                        DROP INDEX event_by_number; ALTER TABLE event DROP COLUMN number;
                        ALTER TABLE task DROP COLUMN outcome;
                        DROP TABLE outcome_stage; DROP TABLE outcome_package; DROP TABLE outcome_build_id;
                        DROP TABLE outcome; DROP TABLE denial;
                        DELETE FROM grdb_migrations WHERE identifier IN ('2026-11 numbered events', '2026-11 outcomes');
                        """)
            }
            try queue.close()
            let snapshot = try #require(try await TaskStore(at: path).snapshot(of: id, eventsAfter: 0))
            #expect(snapshot.events.map(\.number) == [1, 2] && snapshot.events.map(\.kind) == [.started, .succeeded])
        }
    }
}
