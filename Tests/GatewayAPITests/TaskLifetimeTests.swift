import CrashModel
import GatewayAPI
import Glibc
import HTTPTypes
import HummingbirdTesting
import Sandbox
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite struct TaskLifetimeTests {
    private static let hour: Int64 = 3_600_000_000

    @Test func resultsGoAfterTheirTimeAndFailuresEarlier() async throws {
        try await GatewayBench.run(extras: .init(now: { 100 * Self.hour })) { bench, _ in
            func task(_ kind: TaskEvent.Kind, endedHoursAgo hours: Int64) async throws -> TaskID {
                let (directory, _) = try await bench.makeTask()
                try await recordEvent(
                    TaskEvent(
                        task: directory.task, stage: .retrace, kind: kind, microseconds: (100 - hours) * Self.hour,
                        message: "."), store: bench.store, active: bench.active, logger: bench.dependencies.logger)
                try write("text".utf8, to: directory.backtrace)
                return directory.task
            }
            let old = try await task(.succeeded, endedHoursAgo: 31)
            let young = try await task(.succeeded, endedHoursAgo: 29)
            let oldFailure = try await task(.failed, endedHoursAgo: 11)
            let youngFailure = try await task(.failed, endedHoursAgo: 9)
            let done = try await removeExpiredTasks(
                bench.dependencies, lifetime: TaskLifetime(successHours: 30, failureHours: 10), archive: nil)
            #expect(Set(done.removed) == [old, oldFailure] && done.archived.isEmpty)
            #expect(try Set(TaskDirectory.tasks(in: bench.spool)) == [young, youngFailure])
            #expect(try await !bench.store.contains(old))
            let forever = TaskLifetime(successHours: nil, failureHours: nil, silentHours: 1000)
            #expect(try await removeExpiredTasks(bench.dependencies, lifetime: forever, archive: nil) == ExpiredTasks())
        }
    }

    @Test func taskThatNobodySpeaksOfIsGivenUpWithAReasonAndItsCoreIsDeleted() async throws {
        try await GatewayBench.run(extras: .init(now: { 100 * Self.hour })) { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded], stage: .resolve)
            try write("secret".utf8, to: directory.upload)
            let (talking, _) = try await bench.makeTask()
            _ = try await bench.store.apply(
                TaskEvent(
                    task: talking.task, stage: .retrace, kind: .progress, microseconds: 99 * Self.hour, message: "."))
            let done = try await removeExpiredTasks(
                bench.dependencies, lifetime: TaskLifetime(silentHours: 2), archive: nil)
            #expect(done.givenUp == [directory.task])
            let response = try await client.get("/\(directory.task)", password: password)
            #expect(response.headers[.taskStatus] == "FINISHED_FAILURE")
            #expect(response.text.contains("Nothing was heard of the task for 2 hours"))
            let task = try await bench.store.task(directory.task)
            #expect(task?.failure?.stage == .build)
            let upload = try ResultFile(at: directory.upload)
            #expect(upload == nil)
        }
    }

    @Test func archivedTaskIsATarOfItsFilesAndGone() async throws {
        try await GatewayBench.run(extras: .init(now: { 1_795_623_951_000_000 })) { bench, _ in
            let archive = bench.spool.appending("archive")
            try DebianArchive.makeDirectories(archive)
            let (directory, _) = try await bench.makeTask([.succeeded])
            try write("frames".utf8, to: directory.backtrace)
            for (folder, name) in [(directory.results, "ps"), (directory.session, "stripped")] {
                try DebianArchive.makeDirectories(folder)
                try write("tasks".utf8, to: folder.appending(name))
            }
            let done = try await removeExpiredTasks(
                bench.dependencies, lifetime: TaskLifetime(archiveHours: 1), archive: archive)
            #expect(done.archived == [directory.task] && done.removed.isEmpty)
            #expect(FolderContents.names(in: archive) == ["\(directory.task)-20261125162551.tar.zst"])
            let listed = try await runTool([
                "tar", "--zstd", "-tf", archive.appending("\(directory.task)-20261125162551.tar.zst").string,
            ])
            #expect(
                String(decoding: listed.standardOutput, as: UTF8.self)
                    == "\(directory.task)/backtrace\n\(directory.task)/results/ps\n")
            let unpacked = try await runTool([
                "tar", "--zstd", "-xOf", archive.appending("\(directory.task)-20261125162551.tar.zst").string,
                "\(directory.task)/backtrace",
            ])
            #expect(String(decoding: unpacked.standardOutput, as: UTF8.self) == "frames")
            #expect(try await !bench.store.contains(directory.task))
            #expect(try TaskDirectory.tasks(in: bench.spool).isEmpty)
        }
    }

    @Test func archiveThatCannotBeWrittenKeepsTheTask() async throws {
        try await GatewayBench.run(extras: .init(now: { 100 * Self.hour })) { bench, _ in
            let (directory, _) = try await bench.makeTask([.succeeded])
            let done = try await removeExpiredTasks(
                bench.dependencies, lifetime: TaskLifetime(successHours: 2, archiveHours: 1),
                archive: bench.spool.appending("missing"))
            #expect(done == ExpiredTasks())
            #expect(try await bench.store.contains(directory.task))
        }
    }

    /// The oldest come first, and must not keep the archive from all others.
    @Test func tasksThatCannotBePackedDoNotStandBeforeTheOthers() async throws {
        try await GatewayBench.run(extras: .init(now: { 100 * Self.hour })) { bench, _ in
            var bad: [TaskID] = []
            for _ in 0..<4 {
                let (directory, _) = try await bench.makeTask([.succeeded])
                try directory.remove()
                try FolderContents.write("no directory".utf8, to: directory.path)
                bad.append(directory.task)
            }
            let (good, _) = try await bench.makeTask([.succeeded])
            let archive = bench.spool.appending("archive")
            #expect(mkdir(archive.string, 0o700) == 0)
            let done = try await removeExpiredTasks(
                bench.dependencies, lifetime: TaskLifetime(successHours: 2, archiveHours: 1), archive: archive, batch: 2
            )
            #expect(done.archived == [good.task] && done.removed == [])
            for task in bad { #expect(try await bench.store.contains(task)) }
        }
    }

    @Test func frontPageSaysWhatIsKept() async throws {
        var limits = GatewayLimits()
        limits.lifetime = TaskLifetime(successHours: 48, failureHours: 1, archiveHours: 24)
        try await GatewayBench.run(limits: limits) { _, client in
            let page = try await client.get("/").text
            #expect(page.contains("48 hours after the task’s end; of a task that failed 1 hour after the task’s end"))
            #expect(page.contains("archive after 24 hours"))
        }
    }

    @Test(arguments: [(0, false), (1, true), (2, false), (3, true), (4, true)])
    func dumpsOfDebugAndInteractiveTasksStay(type: Int, stays: Bool) async throws {
        try await GatewayBench.run(limits: GatewayLimits(allowInteractive: true)) { bench, client in
            let response = try await client.upload(taskType: "\(type)")
            let directory = TaskDirectory(try TaskID(try #require(response.headers[.taskID])), in: bench.spool)
            try directory.removeDump()
            let upload = try ResultFile(at: directory.upload)
            #expect((upload != nil) == stays)
        }
    }
}
