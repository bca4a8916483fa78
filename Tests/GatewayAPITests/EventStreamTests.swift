import CrashModel
import HTTPTypes
import HummingbirdTesting
import JobMessages
import NIOPosix
import TaskStorage
import Testing

@testable import GatewayAPI

@Suite struct EventStreamTests {
    private func limits(keepAlive: Duration = .seconds(3600), listeners: Int = 256) -> GatewayLimits {
        var limits = GatewayLimits()
        limits.events.keepAlive = keepAlive
        limits.events.maximumListeners = listeners
        return limits
    }

    private func head(_ task: TaskID, _ password: String, _ more: String = "") -> String {
        "GET /\(task)/events HTTP/1.1\r\nHost: localhost\r\nX-Task-Password: \(password)\r\n\(more)"
            + "Connection: close\r\n\r\n"
    }

    @Test func finishedTaskIsToldWholeAndTheStreamEnds() async throws {
        try await GatewayBench.run(limits: limits()) { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            let response = try await client.get("/\(directory.task)/events", password: password)
            #expect(response.status == .ok && response.headers[.contentType] == "text/event-stream")
            #expect(response.headers[.cacheControl] == "no-store" && response.headers[.accelBuffering] == "no")
            let blocks = response.text.components(of: "\n\n")
            #expect(blocks.first == "retry: 2000")
            #expect(
                blocks.dropFirst().map { $0.components(of: "\n").prefix(2).joined(separator: " ") } == [
                    "id: 1 event: stage", "id: 2 event: stage", "id: 2 event: status", "id: 2 event: end",
                ])
            #expect(response.text.contains("\"state\":\"FINISHED_SUCCESS\""))
        }
    }

    @Test func statusIsInTheClientsLanguage() async throws {
        try await GatewayBench.run(limits: limits()) { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            let path = "/\(directory.task)/events"
            let more: HTTPFields = [.acceptLanguage: "de", .acceptCharset: "utf-8"]
            let german = try await client.get(path, password: password, more: more)
            #expect(german.text.contains("Der Backtrace ") && german.text.contains("\"state\":\"FINISHED_SUCCESS\""))
            #expect(try await client.get(path, password: password).text.contains("The backtrace is ready"))
        }
    }

    @Test func whoComesAgainGetsOnlyWhatWasMissedAndThenNothing() async throws {
        try await GatewayBench.run(limits: limits()) { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            let path = "/\(directory.task)/events"
            let missed = try await client.get(path, password: password, more: [.lastEventID: "1"])
            #expect(!missed.text.contains("id: 1\n") && missed.text.contains("id: 2\nevent: stage"))
            #expect(try await client.get(path, password: password, more: [.lastEventID: "2"]).status == .noContent)
            #expect(try await client.get(path, password: password, more: [.lastEventID: "x"]).status == .ok)
        }
    }

    /// The client is told while it listens; a stage is only begun when the client has heard of the one before.
    @Test func eventsArriveAsTheyHappenAndListenersLeave() async throws {
        try await GatewayBench.run(.live, limits: limits()) { bench, client in
            let (directory, password) = try await bench.makeTask()
            let port = client.port
            let request = head(directory.task, password)
            let (heard, report) = AsyncStream.makeStream(of: String.self)
            async let whole = clientThreads.runIfActive { () -> String in
                let connection = try RawConnection(port: port)
                try connection.send(request.utf8)
                return connection.receiveAll { report.yield($0) }
            }
            var pieces = heard.makeAsyncIterator()
            func hear(_ text: String) async {
                var all = ""
                while !all.contains(text), let piece = await pieces.next() { all = piece }
            }
            await hear("event: status")
            for (time, (stage, kind)) in [
                (Stage.build, TaskEvent.Kind.started), (.build, .succeeded), (.retrace, .succeeded),
            ].enumerated() {
                _ = try await bench.store.apply(
                    TaskEvent(
                        task: directory.task, stage: stage, kind: kind, microseconds: Int64(time), message: "step"))
                await hear("id: \(time + 1)\n")
            }
            let answer = try await whole
            #expect(answer.contains("event: end") && answer.contains("FINISHED_SUCCESS"))
        }
    }

    @Test func quietStreamIsKeptAliveByComments() async throws {
        try await GatewayBench.run(.live, limits: limits(keepAlive: .milliseconds(5))) { bench, client in
            let (directory, password) = try await bench.makeTask()
            let port = client.port
            let request = head(directory.task, password)
            let (heard, report) = AsyncStream.makeStream(of: String.self)
            async let whole = clientThreads.runIfActive { () -> String in
                let connection = try RawConnection(port: port)
                try connection.send(request.utf8)
                return connection.receiveAll { report.yield($0) }
            }
            _ = await heard.first { $0.contains(": still here\n\n") }
            try await bench.store.remove(directory.task)
            #expect(try await whole.contains("REMOVED"))
        }
    }

    @Test func listenersAreBoundedAndNeedThePassword() async throws {
        try await GatewayBench.run(limits: limits(listeners: 0)) { bench, client in
            let (directory, password) = try await bench.makeTask([.started])
            let full = try await client.get("/\(directory.task)/events", password: password)
            #expect(full.status == .serviceUnavailable && full.headers[.retryAfter] != nil)
            #expect(try await client.get("/\(directory.task)/events", password: "x").status == .forbidden)
            #expect(try await client.get("/1/events", password: "x").status == .notFound)
        }
        let listeners = TaskListeners()
        var limits = EventStreamLimits()
        limits.maximumListenersOfATask = 1
        let (one, other) = (try TaskID("1"), try TaskID("2"))
        #expect(listeners.join(one, limits) && !listeners.join(one, limits) && listeners.join(other, limits))
        listeners.leave(one)
        #expect(listeners.join(one, limits) && listeners.count == 2)
    }

    /// The bench only ends when the server has, and the server only when the stream has.
    @Test func streamEndsWhenTheServiceIsToldToStop() async throws {
        let (requests, request) = AsyncStream.makeStream(of: (Int?, String).self)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        async let whole = clientThreads.listening(requests, begin)
        try await GatewayBench.run(.live, limits: limits()) { bench, client in
            let (directory, password) = try await bench.makeTask()
            request.yield((client.port, head(directory.task, password)))
            _ = await begun.first { _ in true }
        }
        let answer = try await whole
        #expect(answer.contains("event: status") && !answer.contains("event: end"))
    }

    @Test func clientThatHasGoneGivesItsPlaceBack() async throws {
        try await GatewayBench.run(
            .live, limits: limits(keepAlive: .milliseconds(5), listeners: 1)
        ) { bench, client in
            let (directory, password) = try await bench.makeTask()
            let port = client.port
            for _ in 0..<3 {
                // The place may be given back only at the next comment; until then the answer is 503.
                var answer = ""
                while !answer.contains("200 OK") {
                    answer = try await clientThreads.runIfActive {
                        [request = head(directory.task, password)] in
                        let connection = try RawConnection(port: port)
                        try connection.send(request.utf8)
                        return connection.receiveSome()
                    }
                }
            }
        }
    }
}

extension NIOThreadPool {
    /// Sends the first request and gives all that comes back; says so when the status has come.
    fileprivate func listening(
        _ requests: AsyncStream<(Int?, String)>, _ begin: AsyncStream<Void>.Continuation
    ) async throws -> String {
        guard let (port, request) = await requests.first(where: { _ in true }) else { return "" }
        return try await runIfActive {
            let connection = try RawConnection(port: port)
            try connection.send(request.utf8)
            return connection.receiveAll { if $0.contains("event: status") { begin.yield() } }
        }
    }
}

extension String {
    fileprivate func components(of separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: true).map(String.init)
    }
}
