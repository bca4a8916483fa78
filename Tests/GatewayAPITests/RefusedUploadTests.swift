import CrashModel
import GatewayAPI
import HTTPConnections
import HTTPTypes
import HummingbirdTesting
import JobMessages
import NIOPosix
import SystemPackage
import TestFixtures
import Testing

/// Uploads over real sockets by clients that wait for `100 Continue`, and by some that do not.
@Suite struct RefusedUploadTests {
    /// The head of a good upload, each line of which a case may replace.
    private static func head(
        _ start: String = "POST /create HTTP/1.1", type: String = "application/x-tar", length: String = "7",
        more: String = "Expect: 100-continue"
    ) -> String {
        "\(start)\r\nHost: localhost\r\nContent-Type: \(type)\r\nContent-Length: \(length)\r\n\(more)\r\n\r\n"
    }

    @Test func acceptedUploadIsAskedForItsBody() async throws {
        try await GatewayBench.run(.live) { bench, client in
            let port = client.port
            let (first, last) = try await clientThreads.runIfActive {
                let connection = try RawConnection(port: port)
                try connection.send(Self.head(more: "Expect: 100-Continue\r\nConnection: close").utf8)
                let first = connection.receive(until: "\r\n\r\n")
                try connection.send("archive".utf8)
                return (first, connection.receiveAll())
            }
            #expect(first == "HTTP/1.1 100 Continue\r\n\r\n")
            #expect(last.hasPrefix("HTTP/1.1 201 "))
            #expect(bench.active.count == 1)
        }
    }

    @Test func everyRefusalThatNeedsNoBodyComesInsteadOfContinue() async throws {
        let cases: [(String, Int)] = [
            (Self.head("PUT /create HTTP/1.1"), 405), (Self.head(type: "application/zip"), 415),
            (Self.head(length: "99999999999"), 413), (Self.head(more: "Expect: 100-continue\r\nX-Task-Type: x"), 400),
            (Self.head(more: "Expect: 100-continue\r\nX-CoreFileDirectory: /etc"), 403),
            (Self.head("POST /123456789 HTTP/1.1"), 404), (Self.head("POST /nowhere/x HTTP/1.1"), 404),
        ]
        try await GatewayBench.run(.live) { bench, client in
            for (head, status) in cases { try await expect(head, status, client.port) }
            #expect(try await bench.nothingIsLeft())
        }
        try await GatewayBench.run(.live, freeBytes: { _ in 0 }) { bench, client in
            try await expect(Self.head(), 507, client.port)
            #expect(try await bench.nothingIsLeft())
        }
        try await GatewayBench.run(.live, access: AccessRule(requireHTTPS: true)) { bench, client in
            try await expect(Self.head(), 403, client.port)
            #expect(try await bench.nothingIsLeft())
        }
        try await GatewayBench.run(.live, limits: GatewayLimits(maxParallelTasks: 0)) { bench, client in
            try await expect(Self.head(), 503, client.port)
            #expect(try await bench.nothingIsLeft())
        }
        let backlog = QueueBacklog(limit: 1)
        backlog.jobs = 1
        try await GatewayBench.run(.live, backlog: backlog) { bench, client in
            try await expect(Self.head(), 503, client.port)
            #expect(try await bench.nothingIsLeft())
            #expect(try await client.get("/settings").text.hasPrefix("running_tasks 10\nmax_running_tasks 10\n"))
            backlog.jobs = 0
            #expect(try await client.get("/settings").text.hasPrefix("running_tasks 0\n"))
            #expect(try await client.upload().status == .created)
        }
        let clients = ClientLimiter(ClientLimits(tasksPerHour: 1))
        try await GatewayBench.run(.live, clients: clients) { bench, client in
            #expect(try await client.upload().status == .created)
            let answer = try await expect(Self.head(), 429, client.port)
            #expect(answer.contains("Retry-After: "))
            #expect(bench.active.count == 1)
        }
    }

    /// A client that does not wait goes on sending what nobody reads, and finds the answer all the same.
    @Test func clientThatSendsAllTheSameReadsTheAnswer() async throws {
        try await GatewayBench.run(.live) { bench, client in
            let port = client.port
            let answer = try await clientThreads.runIfActive {
                let connection = try RawConnection(port: port)
                try connection.send(Self.head(type: "application/zip", length: "4000000", more: "X: y").utf8)
                try connection.send([UInt8](repeating: 1, count: 4_000_000))
                return connection.receiveAll()
            }
            #expect(answer.hasPrefix("HTTP/1.1 415 ") && answer.contains("Connection: close"))
            #expect(try await bench.nothingIsLeft())
        }
    }

    /// ABRT's client looks for the answer when it has sent everything, and a connection that breaks before hides it.
    @Test(arguments: [413, 503]) func upload50MiBLargeIsReadToItsEndAndItsRefusalHeard(status: Int) async throws {
        let limits = GatewayLimits(maxParallelTasks: status == 503 ? 0 : 1, maxPackedMebibytes: status == 413 ? 1 : 64)
        try await GatewayBench.run(.live, limits: limits) { bench, client in
            let abrt = ABRTClient(port: try #require(client.port))
            let crash = ABRTClient.Crash(
                archive: [UInt8](repeating: 1, count: 50 << 20), unpackedBytes: 1, releaseID: "debian-12-x86_64",
                package: "bash-5.2-1")
            let failure = try await #require(throws: ABRTClient.Failure.self) { try await abrt.create(crash) }
            #expect(failure.description.hasPrefix("unexpected \(status): The "), "\(failure)")
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func uploadThatTricklesIs408AndLeavesNothing() async throws {
        let connections = ConnectionLimits(minBodyPace: 1 << 20, paceGrace: .milliseconds(50))
        try await GatewayBench.run(.live, connections: connections) { bench, client in
            let answer = try await exchange(Self.head(more: "X: y") + "arc", port: client.port)
            #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("less than 1024 KiB a second"), "\(answer)")
            #expect(answer.contains("3 of 7 bytes"))
            #expect(try await bench.nothingIsLeft())
        }
    }

    /// The server would else read gigabytes for nothing.
    @Test func endlessUnwantedBodyIsCutOff() async throws {
        let connections = ConnectionLimits(lingerTimeout: .milliseconds(100), maxNoticeBytes: 1 << 20)
        try await GatewayBench.run(.live, connections: connections) { bench, client in
            let port = client.port
            let sent = try await clientThreads.runIfActive {
                let connection = try RawConnection(port: port)
                try connection.send(Self.head(type: "application/zip", length: "900000000000", more: "X: y").utf8)
                let chunk = [UInt8](repeating: 1, count: 1 << 20)
                var sent = 0
                while sent < 1000, (try? connection.send(chunk)) != nil { sent += 1 }
                return sent
            }
            // What the sockets of both sides hold comes on top of what is drained.
            #expect(sent < 500, "\(sent) MiB")
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func silentUploadIs408AndLeavesNothing() async throws {
        try await GatewayBench.run(.live, connections: ConnectionLimits(bodyTimeout: .milliseconds(50))) {
            bench, client in
            let answer = try await exchange(Self.head(more: "X: y") + "arc", port: client.port)
            #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("after 3 of 7 bytes"))
            #expect(try await bench.nothingIsLeft())
        }
    }

    /// - Returns: The answer, which is the only one.
    @discardableResult
    private func expect(_ head: String, _ status: Int, _ port: Int?) async throws -> String {
        let answer = try await exchange(head, port: port)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        #expect(answer.contains("Connection: close\r\n"))
        #expect(answer.split(separator: "HTTP/1.1 ").count == 1)
        return answer
    }
}
