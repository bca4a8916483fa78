import CrashModel
import Glibc
import JobMessages
import MessageQueue
import ServiceRuntime
import SystemPackage
import TestFixtures
import Testing

/// What is done after the end was told: nobody waits for it, and it is not lost.
@Suite struct AfterwardsTests {
    @Test func endIsToldBeforeAndTheJobIsAcknowledgedAfter() async throws {
        try await WorkerBench.with { bench in
            let (held, release) = AsyncStream<Void>.makeStream()
            let worker = bench.worker(afterwards: { _, context in
                for await _ in held { break }
                await context.progress("smaller")
            }) { _, _ in bench.outcome("done") }
            try await bench.running(worker) {
                try await bench.send()
                // It comes while the work afterwards has not even begun.
                #expect(try await bench.events(until: .succeeded).map(\.kind) == [.started, .succeeded])
                #expect(try await bench.broker.depth(of: QueueNames.jobs(for: bench.nextStage)).messages == 1)
                release.yield()
                #expect(try await bench.events(until: .progress).last?.message == "smaller")
            }
            #expect(try await bench.broker.depth(of: QueueNames.jobs(for: bench.stage)).messages == 0)
            #expect(begun(bench) == nil && bench.attempts() == 0)
        }
    }

    @Test func workThatAStopInterruptsComesAgainUncounted() async throws {
        try await WorkerBench.with { bench in
            let (started, begin) = AsyncStream<Void>.makeStream()
            let worker = bench.worker(
                settings: WorkerSettings(grace: .milliseconds(20)),
                afterwards: { _, _ in
                    begin.yield()
                    try await Task.sleep(for: .seconds(600))
                }
            ) { _, _ in bench.outcome() }
            try await bench.send()
            try await bench.running(worker) {
                for await _ in started { break }
            }
            #expect(begun(bench) == 0)
            let runs = Counter()
            try await bench.running(bench.worker(afterwards: { _, _ in runs.increment() }) { _, _ in bench.outcome() })
            {
                for expected in 1...2 {
                    #expect(try await bench.events(until: .succeeded).last?.kind == .succeeded, "\(expected)")
                }
                try await bench.untilQueueIsEmpty()
            }
            #expect(runs.value == 1)
        }
    }

    @Test func workThatKillsItsWorkersIsLeft() async throws {
        try await WorkerBench.with { bench in
            let ledger = AttemptLedger(directory: bench.taskDirectory.appending("attempts"), name: "ingest-afterwards")
            for expected in 1...3 { #expect(try await ledger.record() == expected) }
            let runs = Counter()
            let worker = bench.worker(settings: WorkerSettings(attempts: 3), afterwards: { _, _ in runs.increment() }) {
                _, _ in bench.outcome()
            }
            try await bench.running(worker) {
                try await bench.send()
                #expect(try await bench.events(until: .succeeded, .failed).last?.kind == .succeeded)
            }
            #expect(runs.value == 0 && begun(bench) == nil)
            #expect(try await bench.broker.depth(of: QueueNames.jobs(for: bench.stage)).messages == 0)
        }
    }

    @Test func failureAfterTheEndFailsNothing() async throws {
        struct Odd: Error {}
        try await WorkerBench.with { bench in
            let cleaned = Counter()
            let worker = bench.worker(
                cleanUp: { _, _ in cleaned.increment() }, afterwards: { _, _ in throw Odd() }
            ) { _, _ in bench.outcome() }
            try await bench.running(worker) {
                for _ in 0..<2 {
                    try await bench.send()
                    // The second job is only taken when the first is over.
                    #expect(try await bench.events(until: .succeeded, .failed).map(\.kind) == [.started, .succeeded])
                }
            }
            #expect(cleaned.value == 0 && begun(bench) == nil)
            #expect(try await bench.broker.depth(of: QueueNames.jobs(for: bench.stage)).messages == 0)
        }
    }

    @Test func taskThatIsRemovedBeforehandIsLeftAlone() async throws {
        try await WorkerBench.with { bench in
            let runs = Counter()
            let worker = bench.worker(afterwards: { _, _ in runs.increment() }) { _, _ in
                // As the gateway does when the task is deleted.
                for path in [bench.attemptsFile, bench.attemptsFile.removingLastComponent(), bench.taskDirectory] {
                    _ = Glibc.remove(path.string)
                }
                return bench.outcome()
            }
            try await bench.running(worker) {
                try await bench.send()
                #expect(try await bench.events(until: .succeeded, .failed).last?.kind == .succeeded)
            }
            #expect(runs.value == 0)
            #expect(try await bench.broker.depth(of: QueueNames.jobs(for: bench.stage)).messages == 0)
        }
    }

    /// How often the work was begun by the ledger; nil where nothing is noted.
    private func begun(_ bench: WorkerBench) -> Int? {
        var facts = stat()
        return stat(bench.afterwardsFile.string, &facts) == 0 ? Int(facts.st_size) : nil
    }
}
