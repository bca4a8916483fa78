import AsyncHTTPClient
import CrashModel
import Glibc
import NIOCore
import NIOHTTP1
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    @Suite("A service is killed in mid-task and started again")
    struct RedeliveryTests {
        /// A large core keeps ingest busy, an empty store the chroot-builder, and gdb the retracer, so that the kill is in
        /// mid-task for sure; the resolver needs some milliseconds only.
        @Test(
            arguments: zip(
                ["ingest", "resolver", "chroot-builder", "retracer"], [Stage.ingest, .resolve, .build, .retrace]))
        func everyTaskStillEndsWell(_ service: String, _ stage: Stage) async throws {
            let stack = try runningStack()
            if service == "chroot-builder" { try await emptyTheStore(of: stack) }
            let padding = service == "ingest" ? 32 << 20 : 0
            let archives = [
                try await stack.packed(try stack.crashFiles("plain", padding: padding)),
                try await stack.packed(try stack.crashFiles("threads", padding: padding)),
            ]
            let seen = await stack.events.entries.count
            let ends = try await withThrowingTaskGroup(of: String.self, returning: [String].self) { group in
                for archive in archives + archives {
                    group.addTask { try await stack.end(of: try await stack.submit(archive)).status }
                }
                _ = try await stack.event(stage, .started, from: seen)
                try await stack.killAndRestart(service)
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(ends == Array(repeating: "FINISHED_SUCCESS", count: 4))
            if service != "resolver" {
                let again = await stack.events.entries.dropFirst(seen).contains { $0.stage == stage && $0.attempt == 2 }
                #expect(again, "no job came a second time")
            }
            #expect(stack.remains() == [])
            #expect(stack.debuggers() == [])
        }

        private func emptyTheStore(of stack: Stack) async throws {
            let builder = try stack.service("chroot-builder")
            #expect(await builder.end(with: SIGTERM) == "exited(0)")
            try await MadeRelease.shell(
                "chmod -R u+rwX '\(stack.store)'; rm -rf '\(stack.store)'/*", in: stack.directory)
            try await stack.start(builder)
        }

        @Test func gatewayRecordsWhatHappenedWhileItWasDown() async throws {
            let stack = try runningStack()
            var tasks: [SubmittedTask] = []
            for core in ["plain", "threads", "plain"] {
                tasks.append(try await stack.submit(try stack.crashFiles(core)))
            }
            let gateway = try stack.service("gateway")
            #expect(await gateway.end(with: SIGKILL) != nil)
            for task in tasks { _ = try await stack.event(.retrace, .succeeded, of: task.id) }
            try await stack.start(gateway)
            for task in tasks {
                #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
                #expect(try await stack.get(task, "/log").body.contains("retrace succeeded"))
            }
            #expect(stack.remains() == [])
        }

        @Test func synchronisationGoesOnWhereItWasCut() async throws {
            let stack = try runningStack()
            let mirror = stack.repositories.appending(stack.made.release.description)
            try await MadeRelease.shell("rm -rf '\(mirror)'", in: stack.directory)
            let seen = await stack.events.entries.count
            try await stack.orderSynchronisation(of: stack.made.release)
            _ = try await stack.event(.reposync, .started, from: seen)
            try await stack.killAndRestart("reposync")
            _ = try await stack.event(.reposync, .succeeded, from: seen)
            let task = try await stack.submit(try stack.crashFiles("plain"))
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
        }

        @Test func tasksSurviveThatEverythingDiesAtOnce() async throws {
            let stack = try runningStack()
            let seen = await stack.events.entries.count
            var tasks: [SubmittedTask] = []
            for core in ["plain", "threads", "plain"] {
                tasks.append(try await stack.submit(try stack.crashFiles(core)))
            }
            _ = try await stack.event(.retrace, .started, from: seen)
            await withTaskGroup { group in
                for service in stack.services { group.addTask { _ = await service.end(with: SIGKILL) } }
            }
            try await stack.node.signal(SIGKILL)
            // Its port is free when all that it had started is gone too.
            try await stack.node.stop()
            try await stack.node.startAgain()
            for service in stack.services { try await stack.start(service) }
            for task in tasks { #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS") }
            #expect(stack.remains() == [])
            #expect(stack.debuggers() == [])
        }

        @Test func uploadThatTheGatewayDiedOnLeavesNothing() async throws {
            let stack = try runningStack()
            let before = FolderContents.names(in: stack.spool)
            let (chunks, upload) = AsyncStream.makeStream(of: ByteBuffer.self)
            let begun = Array(try await stack.packed(try stack.crashFiles("plain")).prefix(100_000))
            upload.yield(ByteBuffer(bytes: begun))
            let url = "http://127.0.0.1:\(await stack.address.port)/create"
            async let answer = {
                var request = HTTPClientRequest(url: url)
                request.method = .POST
                request.headers.add(name: "Content-Type", value: "application/x-gzip")
                request.body = .stream(chunks, length: .known(Int64(10_000_000)))
                return try await HTTPClient.shared.execute(request, timeout: .seconds(60)).status
            }()
            try await stack.until("the upload has begun") { FolderContents.names(in: stack.spool) != before }
            try await stack.killAndRestart("gateway")
            upload.finish()
            let status = try? await answer
            #expect(status == nil, "a gateway that is dead has answered")
            try await stack.until("the half upload is gone") { FolderContents.names(in: stack.spool) == before }
        }
    }
}
