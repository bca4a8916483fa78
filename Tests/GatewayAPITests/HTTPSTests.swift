import GatewayAPI
import HTTPConnections
import HummingbirdTesting
import NIOPosix
import SystemPackage
import TestFixtures
import Testing

/// The gateway as it is in production, TLS and all.
@Suite struct HTTPSTests {
    /// A gateway with the certificate of `first.example`.
    ///
    /// - Parameter body: Is given the certificate in service, the two files that it was read from, the gateway and its port.
    private func withGateway(
        connections: ConnectionLimits = ConnectionLimits(),
        _ body: @escaping @Sendable (ServerCertificate, FilePath, FilePath, GatewayBench, Int?) async throws -> Void
    ) async throws {
        try await ScratchDirectory.with { folder in
            let (certificate, key) = (folder.appending("server.pem"), folder.appending("server.key"))
            try await makeCertificate("first.example", certificate, key)
            let served = try ServerCertificate(certificate: certificate, key: key)
            var extras = GatewayBench.Extras()
            extras.certificate = served
            try await GatewayBench.run(
                .live, access: AccessRule(requireHTTPS: true, listener: .tls), connections: connections, extras: extras
            ) { bench, client in try await body(served, certificate, key, bench, client.port) }
        }
    }

    private static func upload(_ body: String, type: String = "application/x-tar", more: String = "") -> String {
        "POST /create HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
            + "\(more)\r\n\(body)"
    }

    private static func header(_ name: String, in head: String) throws -> String {
        let line = head.split(separator: "\r\n").first { $0.hasPrefix("\(name): ") }
        return String(try #require(line).dropFirst(name.utf8.count + 2))
    }

    @Test func uploadAndPollsGoOverOneConnection() async throws {
        try await withGateway { _, _, _, bench, port in
            try await TLSConnection.with(port: port) { connection in
                try await connection.send(Self.upload("archive").utf8)
                let created = try await connection.receive(until: "\r\n\r\n")
                #expect(created.hasPrefix("HTTP/1.1 201 ") && created.contains("Strict-Transport-Security: "))
                let id = try Self.header("X-Task-Id", in: created)
                let password = try Self.header("X-Task-Password", in: created)
                // The first is answered by the application, the second by the event loop.
                for poll in 1...3 {
                    try await connection.send(
                        "GET /\(id) HTTP/1.1\r\nHost: localhost\r\nX-Task-Password: \(password)\r\n\r\n".utf8)
                    let head = try await connection.receive(until: "\r\n\r\n")
                    #expect(head.hasPrefix("HTTP/1.1 200 ") && head.contains("X-Task-Status: PENDING\r\n"), "\(poll)")
                    #expect(head.contains("Strict-Transport-Security: "), "\(poll)")
                    let length = try #require(Int(try Self.header("Content-Length", in: head)))
                    #expect(try await connection.receive(bytes: length).hasPrefix("Waiting"), "\(poll)")
                }
            }
            #expect(bench.active.count == 1)
        }
    }

    @Test func bodyIsAskedForAndARefusalComesInstead() async throws {
        try await withGateway { _, _, _, bench, port in
            let expect = "Expect: 100-continue\r\n"
            try await TLSConnection.with(port: port) { connection in
                let whole = Self.upload("archive", more: expect)
                try await connection.send(whole.utf8.dropLast(7))
                #expect(try await connection.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
                try await connection.send("archive".utf8)
                #expect(try await connection.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 201 "))
            }
            let answer = try await TLSConnection.with(port: port) { connection in
                try await connection.send(Self.upload("archive", type: "a/b", more: expect).utf8.dropLast(7))
                return try await connection.receiveAll()
            }
            #expect(answer.hasPrefix("HTTP/1.1 415 ") && answer.contains("Connection: close\r\n"), "\(answer)")
            #expect(bench.active.count == 1)
        }
    }

    /// Like ABRT's client: it looks for the answer when it has sent everything.
    @Test func refusedUploadThatIsSentAllTheSameHearsTheAnswer() async throws {
        try await withGateway { _, _, _, bench, port in
            let answer = try await TLSConnection.with(port: port) { connection in
                let body = String(repeating: "a", count: 20 << 20)
                try await connection.send(Self.upload(body, type: "a/b").utf8)
                return try await connection.receiveAll()
            }
            #expect(answer.hasPrefix("HTTP/1.1 415 "), "\(answer)")
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func connectionOutlivesAChangeOfTheCertificateAndNewOnesSeeTheNewOne() async throws {
        try await withGateway { served, certificate, key, _, port in
            let ask = "GET /settings HTTP/1.1\r\nHost: localhost\r\n\r\n"
            try await TLSConnection.with(port: port) { connection in
                try await connection.send(ask.utf8)
                #expect(try await connection.receive(until: "x86_64").hasPrefix("HTTP/1.1 200 "))
                #expect(try await connection.certificate().contains("first.example".utf8))
                try await makeCertificate("second.example", certificate, key)
                #expect(try served.reload())
                try await connection.send(ask.utf8)
                #expect(try await connection.receive(until: "x86_64").hasPrefix("HTTP/1.1 200 "))
                try await TLSConnection.with(port: port) { other in
                    try await other.send(ask.utf8)
                    #expect(try await other.receive(until: "x86_64").hasPrefix("HTTP/1.1 200 "))
                    #expect(try await other.certificate().contains("second.example".utf8))
                }
                try await connection.send(ask.utf8)
                #expect(try await connection.receive(until: "x86_64").hasPrefix("HTTP/1.1 200 "))
            }
        }
    }

    /// Nothing, the beginning of a ClientHello, and no TLS at all.
    @Test(arguments: [[], [0x16, 0x03, 0x01, 0x02, 0x00, 0x01], Array("GET / HTTP/1.1\r\n\r\n".utf8)])
    func handshakeThatStallsIsCutOffAndHarmsNobody(bytes: [UInt8]) async throws {
        try await withGateway(connections: ConnectionLimits(headTimeout: .seconds(5))) { _, _, _, _, port in
            let answer = try await clientThreads.runIfActive {
                let connection = try RawConnection(port: port)
                try connection.send(bytes)
                return connection.receiveAll()
            }
            #expect(!answer.contains("HTTP"))
            try await TLSConnection.with(port: port) { connection in
                try await connection.send("GET /settings HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
                #expect(try await connection.receive(until: "x86_64").hasPrefix("HTTP/1.1 200 "))
            }
        }
    }
}
