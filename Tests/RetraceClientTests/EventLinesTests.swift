import CrashModel
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import RetraceClient

@Suite struct EventLinesTests {
    private let stream = """
        retry: 2000

        id: 1
        event: stage
        data: {"stage":"build"}

        : still here

        id: 2
        event: status
        data: {"state":"PENDING","text":"In work.\\n","more":[1,2]}

        event:status
        data:{"state":"FINISHED_SUCCESS","text":"Done."}


        """

    @Test(arguments: [1, 7, 10_000]) func statusesAreReadHoweverTheStreamIsCut(size: Int) {
        var lines = EventLines()
        var found: [TaskStatus] = []
        let bytes = Array(stream.replacing("\n", with: "\r\n").utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            found += lines.take(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + size)]))
        }
        #expect(
            found == [
                TaskStatus(word: "PENDING", body: "In work.\n"), TaskStatus(word: "FINISHED_SUCCESS", body: "Done."),
            ])
    }

    @Test(arguments: ["event: status\ndata: {\n\n", "event: status\n\n", "data: {}\n\n", "\n\n\n", ":::\n\n"])
    func whatIsNoStatusIsPassedOver(text: String) {
        var lines = EventLines()
        #expect(lines.take(ByteBuffer(string: text)).isEmpty)
    }

    @Test func lineWithoutAnEndIsNotKeptForEver() {
        var lines = EventLines()
        for _ in 0..<64 { #expect(lines.take(ByteBuffer(repeating: 0x61, count: 1 << 16)).isEmpty) }
        let rest = "\n\nevent: status\ndata: {\"state\":\"PENDING\",\"text\":\"x\"}\n\n"
        #expect(lines.take(ByteBuffer(string: rest)).count == 1)
    }

    @Test func listenerHasTheLastWordAndAServerWithoutEventsGivesNone() async throws {
        let router = Router()
        let whole = stream
        router.get("5/events") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/event-stream"],
                body: .init(byteBuffer: ByteBuffer(string: whole)))
        }
        try await serve(router) { server in
            let watched = WatchedTask()
            await server.listen(to: TaskCredentials(task: try TaskID("5"), password: "x"), into: watched)
            #expect(watched.status == TaskStatus(word: "FINISHED_SUCCESS", body: "Done."))
            let old = WatchedTask()
            await server.listen(to: TaskCredentials(task: try TaskID("6"), password: "x"), into: old)
            #expect(old.status == nil)
        }
    }

    @Test func pendingStatusIsStaleWhenTheStreamBreaks() async throws {
        let router = Router()
        router.get("5/events") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/event-stream"],
                body: .init(
                    byteBuffer: ByteBuffer(
                        string: "event: status\ndata: {\"state\":\"PENDING\",\"text\":\"x\"}\n\n")))
        }
        try await serve(router) { server in
            let watched = WatchedTask()
            await server.listen(to: TaskCredentials(task: try TaskID("5"), password: "x"), into: watched)
            #expect(watched.status == nil)
        }
    }
}
