import CrashModel
import HTTPTypes
import HummingbirdTesting
import JobMessages
import TaskStorage
import TestFixtures
import Testing

@testable import GatewayAPI

/// A poll that is answered on the event loop is the same as one that took the whole way.
@Suite struct ReadyAnswersTests {
    private func headers(_ more: HTTPFields = [:]) -> HTTPFields {
        var headers: HTTPFields = [.taskPassword: "secret"]
        for field in more { headers[field.name] = field.value }
        return headers
    }

    /// All but the time of day.
    private func timeless(_ response: TestResponse) -> [String] {
        response.headers.filter { $0.name != .date }.map { "\($0.name.canonicalName): \($0.value)" }.sorted()
    }

    private func withTask(
        access: AccessRule = AccessRule(),
        _ body:
            @escaping @Sendable (TaskStore, TaskID, any TestClientProtocol)
            async throws -> Void
    ) async throws {
        try await GatewayBench.run(.live, access: access) { bench, client async throws in
            let id = TaskID.random()
            try await bench.store.insert(id, type: 0, password: PasswordHash(of: "secret"), microseconds: 0)
            try await body(bench.store, id, client)
        }
    }

    @Test func theSecondAnswerIsTheFirst() async throws {
        for more in [[:], [.acceptLanguage: "de", .acceptCharset: "utf-8"]] as [HTTPFields] {
            for path in ["", "/"] {
                try await withTask { store, id, client async throws in
                    _ = try await store.apply(
                        TaskEvent(task: id, stage: .retrace, kind: .succeeded, microseconds: 1, message: "Done."))
                    let first = try await client.execute(uri: "/\(id)\(path)", method: .get, headers: headers(more)) {
                        $0
                    }
                    let ready = try #require(store.remembered(id))
                    #expect(ready.version > 0)
                    let second = try await client.execute(uri: "/\(id)\(path)", method: .get, headers: headers(more)) {
                        $0
                    }
                    #expect(first.status == .ok && second.status == .ok)
                    #expect(first.text == second.text && !first.text.isEmpty)
                    #expect(timeless(first) == timeless(second))
                    #expect(second.headers[.date]?.hasSuffix(" GMT") == true)
                }
            }
        }
    }

    @Test func anEventIsToldAtTheNextPoll() async throws {
        try await withTask { store, id, client async throws in
            let path = "/\(id)"
            for stage in [Stage.ingest, .resolve, .build] {
                _ = try await client.execute(uri: path, method: .get, headers: headers()) { $0 }
                _ = try await store.apply(
                    TaskEvent(task: id, stage: stage, kind: .progress, microseconds: 1, message: "\(stage) is busy."))
                let answer = try await client.execute(uri: path, method: .get, headers: headers()) { $0 }
                #expect(answer.text.contains("\(stage) is busy."))
            }
            try await store.remove(id)
            let gone = try await client.execute(uri: path, method: .get, headers: headers()) { $0 }
            #expect(gone.status == .notFound)
        }
    }

    @Test func noOneElseGetsIt() async throws {
        try await withTask { store, id, client async throws in
            _ = try await client.execute(uri: "/\(id)", method: .get, headers: headers()) { $0 }
            for password in ["Secret", "", "secre", "secrets"] {
                let answer = try await client.execute(
                    uri: "/\(id)", method: .get, headers: [.taskPassword: password]
                ) { $0 }
                #expect(answer.status == .forbidden)
            }
            let none = try await client.execute(uri: "/\(id)", method: .get) { $0 }
            #expect(none.status == .forbidden)
        }
    }

    @Test func otherFormsMethodsAndAddressesTakeTheWholeWay() async throws {
        try await withTask { store, id, client async throws in
            _ = try await client.execute(uri: "/\(id)", method: .get, headers: headers()) { $0 }
            let json = try await client.execute(
                uri: "/\(id)", method: .get, headers: headers([.accept: "application/json"])
            ) { $0 }
            #expect(json.headers[.contentType] == "application/json")
            let head = try await client.execute(uri: "/\(id)", method: .head, headers: headers()) { $0 }
            #expect(head.status == .ok && head.text.isEmpty)
            let log = try await client.execute(uri: "/\(id)/log", method: .get, headers: headers()) { $0 }
            #expect(log.status == .notFound)
        }
    }

    @Test func plainHTTPIsRefusedWhereHTTPSIsRequired() async throws {
        try await withTask(access: AccessRule(requireHTTPS: true)) { store, id, client async throws in
            for _ in 0..<2 {
                let answer = try await client.execute(uri: "/\(id)", method: .get, headers: headers()) { $0 }
                #expect(answer.status == .forbidden)
            }
        }
    }
}
