import CrashModel
import FoundationEssentials
import Glibc
import JobMessages
import Sandbox
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    @Suite("A job is played again from a file")
    struct ReplayTests {
        /// What `--job` prints.
        private struct Sent<Job: JobMessage>: Decodable {
            let job: Job
        }

        @Test func wholeJourneyRunsWithoutABroker() async throws {
            let stack = try runningStack()
            let spool = stack.directory.appending("replay")
            let id = TaskID.random()
            let task = spool.appending(id.description)
            // The running chroot-builder looks every second for roots whose tasks are not in its own spool.
            let alive = stack.spool.appending(id.description)
            for folder in [task, alive] { try DebianArchive.makeDirectories(folder) }
            defer { rmdir(alive.string) }
            try FolderContents.write(
                try await stack.packed(try stack.crashFiles("plain")), to: task.appending("upload"))
            let ingest = IngestJob(task: id, contentType: "application/x-gzip", taskType: 0)
            let resolve: ResolveJob = try await next("ingest", ingest, stack, ["--spool", spool.string])
            let release = [
                "--spool", spool.string, "--repositories", stack.repositories.string, "--plugins",
                stack.directory.appending("plugins").string, "--keys", stack.directory.appending("keys").string,
            ]
            let build: BuildJob = try await next("resolver", resolve, stack, release)
            #expect(build.taskID == id && build.resolution.releaseID == stack.made.release)
            let store = ["--store", stack.store.string]
            let retrace: RetraceJob = try await next("chroot-builder", build, stack, release + store)
            let end = try await replay("retracer", retrace, stack, ["--spool", spool.string] + store)
            #expect(end.output.filter { !$0.isWhitespace } == "[]")
            let text = String(decoding: try FolderContents.read(task.appending("backtrace")), as: UTF8.self)
            #expect(ReadBacktrace.seen(in: text).first?.first?.function == "look")
            #expect(!FolderContents.names(in: task).contains("crash"))
            #expect(stack.remains() == [])
            // As it is when a retracer was killed before it had removed everything: the same job comes again.
            for name in ["\(id)", "\(id).77.stale"] {
                try DebianArchive.makeDirectories(stack.store.appending("roots/\(name)/usr"))
            }
            _ = try await replay("retracer", retrace, stack, ["--spool", spool.string] + store)
            #expect(stack.remains() == [])
        }

        @Test func whatAStagePrintsIsTakenByTheNext() async throws {
            let stack = try runningStack()
            let file = stack.directory.appending("printed-job.json")
            let job = ResolveJob(task: TaskID.random(), crash: try Self.crashOfNoRelease())
            let printed = "[{\"routing_key\": \"resolve\", \"job\": "
            try FolderContents.write(Array(printed.utf8) + (try JobCoding.encode(job)) + Array("}]".utf8), to: file)
            let result = try await runTool(
                [Stack.products.appending("resolver").string, "--job", file.string] + quiet(stack))
            // It was read, for the stage itself has an opinion.
            #expect(String(decoding: result.standardError, as: UTF8.self).contains("unknown-release"))
        }

        private static func crashOfNoRelease() throws -> Crash {
            Crash(
                kind: .coredump, architecture: .x86_64, reported: ReportedCrash(osRelease: "Slackware"),
                executable: "/usr/bin/demo", threadCount: 1, modules: [])
        }

        @Test func jobThatCannotBeReadIsNamedInWords() async throws {
            let stack = try runningStack()
            let file = stack.directory.appending("bad-job.json")
            try FolderContents.write("{\"version\": 99}".utf8, to: file)
            let result = try await runTool(
                [Stack.products.appending("resolver").string, "--job", file.string] + quiet(stack))
            #expect(result.termination == .exited(65))
            #expect(String(decoding: result.standardError, as: UTF8.self).contains("version 99"))
        }

        private func quiet(_ stack: Stack) -> [String] {
            [
                "--config", stack.directory.appending("resolver.yaml").string, "--plugins",
                stack.directory.appending("plugins").string, "--keys", stack.directory.appending("keys").string,
            ]
        }

        private func next<Job: JobMessage, Next: JobMessage>(
            _ service: String, _ job: Job, _ stack: Stack, _ options: [String]
        ) async throws -> Next {
            let printed = try await replay(service, job, stack, options)
            let sent = try JSONDecoder().decode([Sent<Next>].self, from: Data(printed.output.utf8))
            return try #require(sent.first, "\(printed.errors)").job
        }

        private func replay(
            _ service: String, _ job: some JobMessage, _ stack: Stack, _ options: [String]
        ) async throws -> (output: String, errors: String) {
            let file = stack.directory.appending("\(service)-job.json")
            try FolderContents.write(try JobCoding.encode(job, pretty: true), to: file)
            let result = try await runTool(
                [
                    Stack.products.appending(service).string, "--job", file.string, "--config",
                    stack.directory.appending("\(service).yaml").string,
                ] + options, limits: SandboxLimits(wallTime: .seconds(60)))
            let errors = String(decoding: result.standardError, as: UTF8.self)
            #expect(result.succeeded, "\(service): \(result.termination) \(errors)")
            return (String(decoding: result.standardOutput, as: UTF8.self), errors)
        }
    }
}
