import NIOCore
import Testing

@testable import HTTPConnections

@Suite struct ConnectionCapTests {
    /// Clients by their ports: 1 to 9 are clients, 100 is a proxy, what has no address is the operator's.
    private func cap(_ limit: Int, _ limitPerClient: Int) -> ConnectionCap {
        ConnectionCap(limit: limit, limitPerClient: limitPerClient) { address in
            guard let port = address?.port else { return .exempt }
            return port < 100 ? .client(port) : .shared
        }
    }

    private func admit(_ cap: ConnectionCap, _ port: Int) throws -> ConnectionCap.Origin? {
        cap.admit(try SocketAddress(ipAddress: "192.0.2.1", port: port))
    }

    @Test func oneClientHasItsPartAndTheOthersHaveTheRest() throws {
        let cap = cap(4, 2)
        let first = try #require(try admit(cap, 1))
        #expect(try admit(cap, 1) == .client(1))
        #expect(try admit(cap, 1) == nil)
        #expect(try admit(cap, 2) == .client(2))
        cap.leave(first)
        #expect(try admit(cap, 1) == .client(1))
        #expect(cap.count == 3)
    }

    @Test func allTogetherHaveNoMoreThanThereMayBe() throws {
        let cap = cap(3, 3)
        for client in 1...3 { #expect(try admit(cap, client) != nil) }
        #expect(try admit(cap, 4) == nil && admit(cap, 100) == nil)
        cap.leave(.client(2))
        #expect(try admit(cap, 100) == .shared)
        #expect(try admit(cap, 2) == nil)
        for origin in [ConnectionCap.Origin.client(1), .client(3), .shared] { cap.leave(origin) }
        #expect(cap.count == 0)
    }

    @Test func proxyBringsManyClientsAndTheOperatorIsAlwaysLetIn() throws {
        let cap = cap(3, 1)
        for _ in 0..<3 { #expect(try admit(cap, 100) == .shared) }
        #expect(try admit(cap, 1) == nil)
        #expect(cap.admit(nil) == .exempt)
        cap.leave(.exempt)
        #expect(cap.count == 3)
    }

    @Test func thatThereAreTooManyIsToldOnceAMinute() {
        let (cap, now) = (cap(1, 1), NIODeadline.now())
        #expect(cap.isToBeTold(now: now))
        #expect(!cap.isToBeTold(now: now + .seconds(59)))
        #expect(cap.isToBeTold(now: now + .seconds(60)))
    }
}
