import CrashModel
import Glibc
import JobMessages
import Logging
import MessageQueue
import ServiceLifecycle
import ServiceRuntime
import Synchronization
import SystemPackage
import TestFixtures
import Testing

/// Warnings of failed jobs are what these tests are about.
let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

/// A spool, queues of its own on the shared node, and a queue that hears this test's events.
struct WorkerBench {
    let broker: MessageBroker
    let spool: FilePath
    let task: TaskID
    /// The routing key of the worker under test.
    let stage: String
    /// The routing key under which the next jobs go.
    let nextStage: String
    let events: Deliveries
    var taskDirectory: FilePath { spool.appending(task.description) }
    var attemptsFile: FilePath { taskDirectory.appending("attempts").appending("ingest") }

    var afterwardsFile: FilePath { taskDirectory.appending("attempts").appending("ingest-afterwards") }

    /// Runs `body` with a bench and takes it apart again.
    static func with(_ body: (WorkerBench) async throws -> Void) async throws {
        let bench = try await make()
        do {
            try await body(bench)
        } catch {
            await bench.remove()
            throw error
        }
        await bench.remove()
    }

    private static func make() async throws -> WorkerBench {
        var template = Array("/tmp/retrace-worker-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let spool = FilePath(String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        let task = TaskID.random()
        try #require(mkdir(spool.appending(task.description).string, 0o711) == 0)
        let unique = String(UInt64.random(in: 0...UInt64.max))
        var topology = Topology.retrace(stages: ["a\(unique)", "b\(unique)"])
        for queue in ["test.events.\(unique)", "test.dead.\(unique)"] {
            topology.queues.append(.init(queue, arguments: ["x-queue-type": .text("quorum")]))
        }
        topology.bindings.append(
            .init(queue: "test.dead.\(unique)", exchange: QueueNames.dead, routingKey: "a\(unique)"))
        topology.bindings.append(
            .init(queue: "test.events.\(unique)", exchange: QueueNames.events, routingKey: "task.#"))
        let address = try BrokerAddress(url: await PrivateBroker.sharedURL())
        let broker = try MessageBroker(address, topology: topology, name: "test", logger: quiet)
        try await broker.connect()
        return WorkerBench(
            broker: broker, spool: spool, task: task, stage: "a\(unique)", nextStage: "b\(unique)",
            events: try await broker.consume("test.events.\(unique)", prefetch: 100))
    }

    private func remove() async {
        await broker.close()
        for path in [attemptsFile, afterwardsFile, taskDirectory.appending("attempts"), taskDirectory, spool] {
            _ = Glibc.remove(path.string)
        }
    }

    var deadQueue: String { "test.dead.\(stage.dropFirst())" }

    /// An ingest worker on this bench's queue.
    func worker(
        on other: MessageBroker? = nil, settings: WorkerSettings = WorkerSettings(),
        facts: @escaping @Sendable (IngestJob) -> [String: String] = { _ in [:] },
        isWait: @escaping @Sendable (StageError) -> Bool = { _ in false },
        cleanUp: @escaping @Sendable (IngestJob, StageError) async -> Void = { _, _ in },
        afterwards: (@Sendable (IngestJob, JobContext) async throws -> Void)? = nil,
        reply: @escaping @Sendable (JobStanding) -> (any Encodable & Sendable)? = { _ in nil },
        stage body: @escaping @Sendable (IngestJob, JobContext) async throws -> JobOutcome
    ) -> JobWorker<IngestJob> {
        let spool = spool
        return JobWorker(
            on: other ?? broker, settings: settings, logger: quiet, routingKey: stage,
            handler: JobHandler(
                ledger: { job in
                    AttemptLedger(
                        directory: spool.appending(job.taskID.description).appending("attempts"), name: "ingest")
                }, facts: facts, isWait: isWait, cleanUp: cleanUp, afterwards: afterwards, reply: reply, stage: body))
    }

    /// Runs `worker` as a service until `body` is through, then stops it in order.
    func running(_ worker: JobWorker<IngestJob>, _ body: () async throws -> Void) async throws {
        let group = ServiceGroup(configuration: .init(services: [.init(service: worker)], logger: quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    var job: IngestJob { IngestJob(task: task, contentType: "application/x-tar", taskType: 0) }

    func send() async throws { try await broker.publish(.job(JobCoding.encode(job), for: stage)) }

    /// A job for the next stage, as this bench knows it.
    func outcome(_ message: String = "unpacked") -> JobOutcome {
        JobOutcome(next: [.init(job, routingKey: nextStage)], message: message, facts: ["k": "v"])
    }

    /// The events of this bench's task up to the first of one of `kinds`.
    func events(until kinds: TaskEvent.Kind...) async throws -> [TaskEvent] {
        var iterator = events.makeAsyncIterator()
        var seen: [TaskEvent] = []
        while let delivery = await iterator.next() {
            let event = try JobCoding.decode(TaskEvent.self, from: delivery.body)
            try await delivery.ack()
            guard event.task == task else { continue }
            seen.append(event)
            if kinds.contains(event.kind) { break }
        }
        return seen
    }

    func attempts() -> Int {
        var status = stat()
        return stat(attemptsFile.string, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Waits until nothing waits or is worked on in the worker's queue.
    func untilQueueIsEmpty() async throws {
        let retry = QueueNames.retry(for: stage)
        while true {
            let waiting = try await broker.depth(of: QueueNames.jobs(for: stage)).messages
            if try await broker.depth(of: retry).messages + waiting == 0 { return }
        }
    }
}

/// Counts across tasks.
final class Counter: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    @discardableResult func increment() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }
}
