import HTTPConnections
import HTTPTypes
import HummingbirdTesting
import NIOPosix
import Testing

@Suite struct ConnectionLimitTests {
    private static let poll = "GET /settings HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Each would cost a descriptor and memory as long as it likes.
    @Test func connectionOverTheCapIsClosedAtOnceAndTheOthersGoOn() async throws {
        var extras = GatewayBench.Extras()
        let cap = ConnectionCap(limit: 100, limitPerClient: 3) { _ in .client(1) }
        extras.cap = cap
        try await GatewayBench.run(.live, extras: extras) { _, client in
            // It stays open, and is the first.
            #expect(try await client.get("/settings").status == .ok)
            let port = client.port
            try await clientThreads.runIfActive {
                let second = try RawConnection(port: port)
                #expect(try second.ask(Self.poll))
                do {
                    let third = try RawConnection(port: port)
                    #expect(try third.ask(Self.poll))
                    for _ in 0..<20 {
                        let fourth = try RawConnection(port: port)
                        #expect(fourth.receiveAll().isEmpty)
                    }
                    #expect(cap.count == 3)
                    #expect(try third.ask(Self.poll))
                }
                // The server sees a little later that there is a place again.
                var isLetIn = false
                for _ in 0..<10_000 where !isLetIn {
                    isLetIn = (try? RawConnection(port: port).ask(Self.poll)) ?? false
                }
                #expect(isLetIn)
                #expect(try second.ask(Self.poll))
            }
            #expect(try await client.get("/settings").status == .ok)
        }
    }
}

extension RawConnection {
    /// Whether a request is answered with the settings.
    fileprivate func ask(_ request: String) throws -> Bool {
        try send(request.utf8)
        // The last line of the settings is that of the releases.
        return receive(until: "debian-12-x86_64").hasPrefix("HTTP/1.1 200 ")
    }
}
