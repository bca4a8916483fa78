import CrashModel
import TaskStorage
import Testing

@Suite struct TaskEventTests {
    private func journey(_ task: TaskID) throws -> [TaskEvent] {
        let release = try ReleaseID("debian-12-x86_64")
        return [
            event(task, .ingest, .started, at: 10),
            event(task, .ingest, .succeeded, at: 20, facts: ["package": "python3", "signal": "SIGABRT"]),
            event(task, .resolve, .started, at: 30),
            event(
                task, .resolve, .succeeded, at: 35, release: release, facts: ["package": "python3.11-3.11.2-6.amd64"]),
            event(task, .build, .started, at: 40),
            event(task, .build, .progress, at: 45, message: "half", fraction: 0.5),
            event(task, .build, .succeeded, at: 50),
            event(task, .retrace, .started, at: 60),
            event(task, .retrace, .succeeded, at: 90, message: "the backtrace is written"),
        ]
    }

    @Test func journeyEndsInSuccessWithTimings() async throws {
        try await withStore { store, id in
            var outcomes: [EventOutcome] = []
            for event in try journey(id) { outcomes.append(try await store.apply(event)) }
            #expect(outcomes.last == .finished(.success))
            #expect(outcomes.dropLast().allSatisfy { $0 == .recorded })
            let task = try #require(try await store.task(id))
            #expect(task.state == .success && task.finished == 90 && task.stage == .retrace)
            #expect(task.package == "python3.11-3.11.2-6.amd64")
            #expect(task.signal == "SIGABRT")
            #expect(task.releaseID?.description == "debian-12-x86_64")
            #expect(try await store.timings(of: id).map(\.microseconds) == [10, 5, 10, 30])
            #expect(try await store.events(of: id).count == 9)
            #expect(try await store.pendingTasks().isEmpty)
        }
    }

    @Test(arguments: 0..<20) func orderAndDuplicatesDoNotMatter(seed: Int) async throws {
        try await withStore { store, id in
            let all = try journey(id)
            var generator = SeededGenerator(state: UInt64(seed))
            for event in (all + all).shuffled(using: &generator) { _ = try await store.apply(event) }
            let task = try #require(try await store.task(id))
            #expect(task.state == .success && task.finished == 90)
            #expect(task.package == "python3.11-3.11.2-6.amd64" && task.signal == "SIGABRT")
            #expect(try await store.events(of: id).count == 9)
            #expect(try await store.timings(of: id).map(\.microseconds) == [10, 5, 10, 30])
        }
    }

    @Test func secondDeliveryIsUnchanged() async throws {
        try await withStore { store, id in
            let started = event(id, .ingest, .started, at: 1)
            let first = try await store.apply(started)
            let second = try await store.apply(started)
            #expect(first == .recorded && second == .unchanged)
        }
    }

    @Test func lateStartOfADoneStageChangesNothing() async throws {
        try await withStore { store, id in
            _ = try await store.apply(event(id, .resolve, .succeeded, at: 5, message: "done"))
            _ = try await store.apply(event(id, .resolve, .started, at: 1, message: "begun"))
            _ = try await store.apply(event(id, .resolve, .started, at: 9, attempt: 2, message: "again"))
            _ = try await store.apply(event(id, .ingest, .progress, at: 10, message: "unpacking"))
            let task = try #require(try await store.task(id))
            #expect(task.stage == .resolve && task.stageKind == .succeeded && task.message == "done")
        }
    }

    @Test func progressShowsTheLatestAndDoesNotPileUp() async throws {
        try await withStore { store, id in
            for step in [1, 3, 2] {
                _ = try await store.apply(
                    event(
                        id, .build, .progress, at: Int64(step), message: "step \(step)", fraction: Double(step) / 4))
            }
            let task = try #require(try await store.task(id))
            #expect(task.message == "step 3" && task.fraction == 0.75)
            #expect(try await store.events(of: id).count == 1)
        }
    }

    @Test func retryAndSecondAttemptAreShown() async throws {
        try await withStore { store, id in
            _ = try await store.apply(event(id, .build, .started, at: 1))
            _ = try await store.apply(event(id, .build, .retrying, at: 2, message: "disk full"))
            #expect(try await store.task(id)?.stageKind == .retrying)
            _ = try await store.apply(event(id, .build, .started, at: 3, attempt: 2))
            let task = try #require(try await store.task(id))
            #expect(task.stageKind == .started && task.attempt == 2)
        }
    }

    @Test func failureKeepsItsTypedReason() async throws {
        try await withStore { store, id in
            let error = StageError(
                .retrace, StageError.Code("debugger-killed"), "gdb was killed.", advice: "Try again.", exitStatus: 137,
                toolOutput: "last words")
            let outcome = try await store.apply(event(id, .retrace, .failed, at: 7, error: error))
            #expect(outcome == .finished(.failure))
            let task = try #require(try await store.task(id))
            #expect(task.state == .failure && task.finished == 7 && task.failure == error)
        }
    }

    @Test func failureWithoutAnErrorStillHasAReason() async throws {
        try await withStore { store, id in
            _ = try await store.apply(event(id, .build, .failed, at: 7, message: "it broke"))
            #expect(try await store.task(id)?.failure?.reason == "it broke")
        }
    }

    @Test func finishedTaskStaysFinished() async throws {
        try await withStore { store, id in
            _ = try await store.apply(event(id, .resolve, .failed, at: 7, message: "no such release"))
            _ = try await store.apply(event(id, .retrace, .succeeded, at: 9))
            #expect(try await store.task(id)?.state == .failure)
            #expect(try await store.task(id)?.finished == 7)
        }
        try await withStore { store, id in
            _ = try await store.apply(event(id, .retrace, .succeeded, at: 9))
            _ = try await store.apply(event(id, .retrace, .failed, at: 10, attempt: 2))
            #expect(try await store.task(id)?.state == .success)
        }
    }

    @Test func redeliveryThatFailsAfterSuccessDoesNotEndTheTask() async throws {
        try await withStore { store, id in
            _ = try await store.apply(event(id, .resolve, .succeeded, at: 5))
            let error = StageError(.resolve, .tooManyAttempts, "The job was started too often.")
            _ = try await store.apply(event(id, .resolve, .failed, at: 6, attempt: 4, error: error))
            #expect(try await store.task(id)?.state == .pending)
        }
    }

    @Test func hostileNumbersAreBounded() async throws {
        try await withStore { store, id in
            _ = try await store.apply(event(id, .build, .progress, at: 1, attempt: -3, fraction: .infinity))
            _ = try await store.apply(event(id, .ingest, .progress, at: 1, fraction: .nan, facts: ["": "x"]))
            #expect(try await store.task(id)?.fraction == 1)
            #expect(try await store.facts(of: id).isEmpty)
        }
    }

    @Test func synchronisationKeepsItsLastWordAndItsLastSuccess() async throws {
        try await withStore { store, _ in
            let release = try ReleaseID("debian-12-x86_64")
            let error = StageError(.reposync, StageError.Code("mirror-down"), "The mirror does not answer.")
            _ = try await store.apply(event(nil, .reposync, .succeeded, at: 5, release: release))
            _ = try await store.apply(event(nil, .reposync, .failed, at: 9, error: error, release: release))
            _ = try await store.apply(event(nil, .reposync, .started, at: 8, release: release))
            let sync = try #require(try await store.syncs().first)
            #expect(sync.kind == .failed && sync.succeeded == 5 && sync.errorCode == "mirror-down")
        }
    }
}

/// The same shuffles in every run (splitmix64), so that a failing order can be tried again.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
