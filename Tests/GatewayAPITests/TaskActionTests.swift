import CrashModel
import GatewayAPI
import HTTPTypes
import HummingbirdTesting
import NIOCore
import SystemPackage
import TaskStorage
import Testing

@Suite struct TaskActionTests {
    @Test(arguments: [true, false]) func ownerDeletesATaskWhetherItIsFinishedOrNot(isFinished: Bool) async throws {
        try await GatewayBench.run { bench, client in
            let created = try await client.upload()
            let id = try #require(created.headers[.taskID])
            let password = try #require(created.headers[.taskPassword])
            #expect(try await client.get("/\(id)/delete").status.code == 403)
            #expect(try await client.get("/\(id)/delete", password: "wrong").status.code == 403)
            #expect(bench.active.count == 1)
            let response = try await client.get("/\(id)/delete", password: password, method: .post)
            #expect(response.status == .ok && response.isWellFormed() && response.body.readableBytes > 0)
            #expect(try await bench.nothingIsLeft())
            #expect(try await client.get("/\(id)", password: password).status.code == 404)
            #expect(try await client.get("/\(id)/delete", password: password).status.code == 404)
        }
    }

    @Test func deletionComesBeforeTheTaskWhereItIsNotAllowed() async throws {
        var limits = GatewayLimits()
        limits.allowDelete = false
        try await GatewayBench.run(limits: limits, access: AccessRule(requireHTTPS: true)) { _, client async throws in
            #expect(try await client.get("/123456789/delete").status.code == 403)
            #expect(try await client.get("/nothing/delete").status.code == 403)
        }
        try await GatewayBench.run(limits: limits) { bench, client in
            let (directory, password) = try await bench.makeTask([.succeeded])
            #expect(try await client.get("/nothing/delete").status.code == 404)
            #expect(try await client.get("/123456789/delete").status.code == 403)
            let response = try await client.get("/\(directory.task)/delete", password: password)
            #expect(response.status.code == 403 && response.text.contains("front page"))
            #expect(try await bench.store.contains(directory.task))
        }
    }

    @Test func startNeedsThePasswordAndIsDoneAlready() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask()
            #expect(try await client.get("/\(directory.task)/start").status.code == 403)
            #expect(try await client.get("/1/start", password: password).status.code == 404)
            let response = try await client.get("/\(directory.task)/start?debug&arch=x86_64", password: password)
            #expect(response.status == .created && response.body.readableBytes == 0)
        }
    }
}
