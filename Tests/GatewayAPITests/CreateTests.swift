import CrashModel
import GatewayAPI
import HTTPTypes
import HummingbirdTesting
import JobMessages
import NIOCore
import SystemPackage
import TaskStorage
import Testing

@Suite struct CreateTests {
    @Test func acceptedUploadGetsIdAndPasswordAndAnEmptyBody() async throws {
        try await GatewayBench.run { bench, client in
            let response = try await client.upload()
            #expect(response.status.code == 201)
            #expect(response.isWellFormed())
            #expect(response.body.readableBytes == 0)
            let id = try TaskID(try #require(response.headers[.taskID]))
            let password = try #require(response.headers[.taskPassword])
            #expect(id.description.count == 9 && password.count == 32)
            #expect(bench.active.count == 1)
            let status = try await client.get("/\(id)", password: password)
            #expect(status.status == .ok && status.headers[.taskStatus] == "PENDING")
        }
    }

    @Test func ingestFindsTheWholeUploadAndTheJobsFacts() async throws {
        let (seen, report) = AsyncStream.makeStream(of: (IngestJob, String).self)
        try await GatewayBench.run(ingest: { job, directory in
            report.yield((job, (try? text(of: directory.upload)) ?? "unreadable"))
            return replies([.pickedUp, .accepted])
        }) { _, client in
            let response = try await client.upload(
                "the archive", type: "application/x-gzip; charset=binary", taskType: "2")
            #expect(response.status == .created)
            let job = await seen.first { _ in true }
            #expect(job?.1 == "the archive")
            #expect(job?.0.contentType == "application/x-gzip")
            #expect(job?.0.taskType == 2)
            #expect(job?.0.taskID.description == response.headers[.taskID])
        }
    }

    @Test(arguments: ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) func otherMethodsAre405(name: String) async throws {
        try await GatewayBench.run { bench, client async throws in
            let method = try #require(HTTPRequest.Method(name))
            let response = try await client.upload(method: method)
            #expect(response.status.code == 405)
            #expect(response.headers[.allow] == nil)
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test(arguments: [nil, "", "application/zip", "APPLICATION/X-GZIP", "application/x-rar-compressed"])
    func otherMediaTypesAre415(type: String?) async throws {
        try await GatewayBench.run { bench, client async throws in
            let response = try await client.upload(type: type)
            #expect(response.status.code == 415)
            #expect(response.text.contains("application/x-xz-compressed-tar"))
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func uploadWithoutLengthIs411() async throws {
        try await GatewayBench.run { bench, client async throws in
            let response = try await client.execute(
                uri: "/create", method: .post, headers: [.contentType: "application/x-tar"]
            ) { $0 }
            #expect(response.status.code == 411)
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func uploadOverTheLimitIs413() async throws {
        try await GatewayBench.run(limits: GatewayLimits(maxPackedMebibytes: 0)) { bench, client async throws in
            let response = try await client.upload()
            #expect(response.status.code == 413)
            #expect(response.text.contains("MiB"))
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func coreFileDirectoryIs403() async throws {
        try await GatewayBench.run { bench, client async throws in
            let response = try await client.upload(more: [.coreFileDirectory: "/etc"])
            #expect(response.status.code == 403)
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func tooLittleFreeSpaceIs507AndAnUnreadableOne500() async throws {
        try await GatewayBench.run(limits: GatewayLimits(minFreeMebibytes: 10), freeBytes: { _ in (10 << 20) + 6 }) {
            bench, client async throws in
            #expect(try await client.upload("1234567").status.code == 507)
            #expect(try await bench.nothingIsLeft())
            #expect(try await client.upload("123456").status.code == 201)
        }
        try await GatewayBench.run(freeBytes: { _ in throw Errno.ioError }) { bench, client async throws in
            #expect(try await client.upload().status.code == 500)
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func fullServerIs503BeforeEverythingElse() async throws {
        try await GatewayBench.run(limits: GatewayLimits(maxParallelTasks: 1)) { bench, client async throws in
            let first = try await client.upload()
            #expect(first.status == .created)
            for response in [try await client.upload(), try await client.get("/create")] {
                #expect(response.status.code == 503)
                #expect(response.headers[.retryAfter] == "30")
            }
            let id = try TaskID(try #require(first.headers[.taskID]))
            try await recordEvent(
                TaskEvent(task: id, stage: .retrace, kind: .succeeded, microseconds: 9, message: "done"),
                store: bench.store, active: bench.active, logger: bench.dependencies.logger)
            #expect(try await client.upload().status == .created)
        }
    }

    @Test(arguments: [("x", 400), ("1.5", 400), ("-", 400), ("3", 409), ("4", 409), ("7", 201), ("-1", 201)])
    func taskTypesAreReadAsUpstreamDoes(type: String, status: Int) async throws {
        try await GatewayBench.run { bench, client async throws in
            let response = try await client.upload(taskType: type)
            #expect(response.status.code == status)
            if status != 201 { #expect(try await bench.nothingIsLeft()) }
        }
    }

    @Test func interactiveTasksAreTakenWhereAllowed() async throws {
        try await GatewayBench.run(limits: GatewayLimits(allowInteractive: true)) { _, client async throws in
            #expect(try await client.upload(taskType: "3").status == .created)
        }
    }

    @Test func plainHTTPIs403FirstWhereHTTPSIsRequired() async throws {
        try await GatewayBench.run(access: AccessRule(requireHTTPS: true)) { _, client async throws in
            #expect(try await client.get("/create").status.code == 403)
            #expect(try await client.get("/123456789").status.code == 403)
            #expect(try await client.get("/123456789/log").status.code == 403)
            #expect(try await client.get("/settings").status.code == 200)
            #expect(try await client.get("/").status.code == 200)
        }
        try await GatewayBench.run(access: AccessRule(requireHTTPS: true, listener: .tls)) { _, client async throws in
            #expect(try await client.upload().status.code == 201)
        }
    }
}

private func text(of path: FilePath) throws -> String {
    guard let file = try ResultFile(at: path) else { throw Errno.noSuchFileOrDirectory }
    return String(decoding: try file.read(at: 0, count: file.byteCount), as: UTF8.self)
}
