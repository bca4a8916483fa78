import CrashModel
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import TestFixtures
import Testing

@testable import RetraceClient

@Suite struct ServerTests {
    private let password = HTTPField.Name("X-Task-Password")
    private let id = HTTPField.Name("X-Task-Id")
    private let word = HTTPField.Name("X-Task-Status")

    @Test func anUploadGoesWithItsLengthAndGivesATask() async throws {
        let router = Router()
        router.post("create") { request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            let length = request.headers[.contentLength].flatMap(Int.init)
            let isRight =
                length == body.readableBytes && request.headers[.contentType] == "application/x-xz-compressed-tar"
            var headers = HTTPFields()
            if let id { headers[id] = "123456789" }
            if let password { headers[password] = "secret" }
            return Response(status: isRight ? .created : .badRequest, headers: headers)
        }
        try await serve(router) { server in
            let credentials = try await upload(to: server)
            #expect(credentials == TaskCredentials(task: try TaskID("123456789"), password: "secret"))
        }
    }

    @Test func aRefusalKeepsTheServersWords() async throws {
        let router = Router()
        router.post("create") { request, _ in
            _ = try await request.body.collect(upTo: 1 << 20)
            let words = "The archive is damaged.\nSend it again.\u{1b}\n"
            return Response(status: .forbidden, body: .init(byteBuffer: ByteBuffer(string: words)))
        }
        try await serve(router) { server in
            let error = await clientError { _ = try await upload(to: server) }
            #expect(error?.kind == .refused)
            #expect(error?.reason == "The archive is damaged. (HTTP 403)")
            #expect(error?.advice == "Send it again.^[")
        }
    }

    @Test func statusAndResultsNeedThePassword() async throws {
        let router = Router()
        router.get("5") { request, _ in
            guard let password, request.headers[password] == "secret" else { return Response(status: .forbidden) }
            var headers = HTTPFields()
            if let word { headers[word] = "PENDING" }
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: "In work.\n")))
        }
        router.get("5/backtrace") { _, _ in
            Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: "#0 main ()")))
        }
        router.get("5/results/ps") { _, _ in
            Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: "PID")))
        }
        try await serve(router) { server in
            let task = try TaskID("5")
            let status = try await server.status(of: TaskCredentials(task: task, password: "secret"))
            #expect(status == TaskStatus(word: "PENDING", body: "In work.\n"))
            let denied = await clientError {
                _ = try await server.status(of: TaskCredentials(task: task, password: "x"))
            }
            #expect(denied?.kind == .denied)
            #expect(
                try await server.text("backtrace", of: TaskCredentials(task: task, password: "x")) == "#0 main ()")
            #expect(
                try await server.text(namedResults("ps"), of: TaskCredentials(task: task, password: "x")) == "PID")
            let missing = await clientError {
                _ = try await server.text("log", of: TaskCredentials(task: task, password: "x"))
            }
            #expect(missing?.kind == .refused)
        }
    }

    @Test func aServerThatIsNotThereIsNamed() async throws {
        let address = try ServerAddress("http://127.0.0.1:1")
        let error = await clientError { _ = try await RetraceServer.with(address) { try await $0.settings() } }
        #expect(error?.kind == .unavailable)
        #expect(error?.reason.contains("http://127.0.0.1:1") == true)
        #expect(error?.advice?.contains("--server") == true)
    }

    @Test func aWatchReportsChangesOnlyAndSurvivesARestartOfTheServer() async throws {
        let work = TaskStatus(word: "PENDING", body: "In work.")
        let done = TaskStatus(word: "FINISHED_SUCCESS", body: "Done.")
        let away = ClientError(.unavailable, "gone")
        var answers: [Result<TaskStatus, ClientError>] = [
            .success(work), .success(work), .success(work), .failure(away), .failure(away), .success(work),
            .success(done),
        ]
        var waits: [Duration] = []
        var news: [FollowNews] = []
        let last = try await followTask(
            ask: { () throws(ClientError) in try answers.removeFirst().get() }, sleep: { waits.append($0) },
            report: { news.append($0) })
        #expect(last == done)
        #expect(news == [.status(work), .silent(away), .status(work), .status(done)])
        #expect(waits.first == .milliseconds(50))
        #expect(waits.dropFirst().first == .milliseconds(75))
    }

    @Test func aWatchOfARefusedTaskEndsAtOnce() async {
        let error = await clientError {
            _ = try await followTask(
                ask: { () throws(ClientError) in throw ClientError(.denied, "no") }, sleep: { _ in }, report: { _ in })
        }
        #expect(error?.kind == .denied)
    }

    private func upload(to server: RetraceServer) async throws -> TaskCredentials {
        try await ScratchDirectory.with { directory in
            try makeProblemDirectory(directory)
            return try await readProblemDirectory(directory).withPackedArchive(.xz, in: directory) {
                (archive) throws(ClientError) in try await server.create(archive)
            }
        }
    }
}

/// Runs a server on a free port of loopback while `body` uses it.
func serve(
    _ router: Router<BasicRequestContext>, _ body: @escaping @Sendable (RetraceServer) async throws -> Void
) async throws {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await application.run() }
        defer { group.cancelAll() }
        for await number in ports {
            try await RetraceServer.with(ServerAddress("http://127.0.0.1:\(number)")) { try await body($0) }
            return
        }
    }
}
