import CrashModel
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Synchronization
import TaskStorage
import Testing

@testable import GatewayAPI

@Suite struct ClientLimiterTests {
    /// A clock that stands until it is moved.
    private final class Watch: Sendable {
        private let time = Mutex<Int64>(1_000_000_000)
        var now: Int64 { time.withLock { $0 } }
        func pass(_ seconds: Int64) { time.withLock { $0 += seconds * 1_000_000 } }
    }

    private func address(_ text: String) throws -> ClientAddress { try #require(ClientAddress(text)) }

    @Test func asManyUploadsAsAnHourHoldsMayComeAtOnceAndThenOneByOne() throws {
        let watch = Watch()
        let limiter = ClientLimiter(ClientLimits(tasksPerHour: 4)) { watch.now }
        let client = try address("192.0.2.1")
        for _ in 0..<4 { try limiter.admitUpload(from: client).end() }
        #expect(throws: Refusal.self) { try limiter.admitUpload(from: client) }
        try limiter.admitUpload(from: address("192.0.2.2")).end()
        watch.pass(899)
        let refusal = #expect(throws: Refusal.self) { try limiter.admitUpload(from: client) }
        #expect(refusal?.status == .tooManyRequests && refusal?.retryAfterSeconds == 1)
        watch.pass(1)
        try limiter.admitUpload(from: client).end()
        #expect(throws: Refusal.self) { try limiter.admitUpload(from: client) }
    }

    @Test func uploadsAtATimeAreCountedUntilTheyEnd() throws {
        let limiter = ClientLimiter(ClientLimits(parallelUploads: 2))
        let client = try address("192.0.2.1")
        let first = try limiter.admitUpload(from: client)
        let second = try limiter.admitUpload(from: client)
        #expect(throws: Refusal.self) { try limiter.admitUpload(from: client) }
        first.end()
        first.end()
        let third = try limiter.admitUpload(from: client)
        #expect(throws: Refusal.self) { try limiter.admitUpload(from: client) }
        for upload in [second, third] { upload.end() }
        #expect(limiter.uploads == 0)
    }

    @Test func addressesOfOneIPv6NetworkAreOneClient() throws {
        let limiter = ClientLimiter(ClientLimits(wrongPasswordsPerHour: 1))
        #expect(limiter.wrongPassword(from: try address("2001:db8:1:2::1")) == nil)
        #expect(limiter.wrongPassword(from: try address("2001:db8:1:2:ffff::9"))?.status == .tooManyRequests)
        #expect(limiter.wrongPassword(from: try address("2001:db8:1:3::1")) == nil)
        #expect(limiter.wrongPassword(from: try address("::ffff:192.0.2.1")) == nil)
        #expect(limiter.wrongPassword(from: try address("192.0.2.1"))?.status == .tooManyRequests)
    }

    /// Behind a proxy on this machine that nobody listed, everybody has an exempt address.
    @Test func whatAnUntrustedProxyPassedOnIsLimited() throws {
        let limiter = ClientLimiter(
            ClientLimits(
                tasksPerHour: 1, wrongPasswordsPerHour: 1, exempt: try #require(AddressRange.list("127.0.0.1"))))
        let proxy = try #require(ClientAddress("127.0.0.1"))
        _ = try limiter.admitUpload(from: proxy, isCertain: false)
        let refusal = #expect(throws: Refusal.self) { try limiter.admitUpload(from: proxy, isCertain: false) }
        #expect(refusal?.status == .tooManyRequests)
        #expect(limiter.wrongPassword(from: proxy, isCertain: false) == nil)
        #expect(limiter.wrongPassword(from: proxy, isCertain: false)?.status == .tooManyRequests)
        #expect(limiter.wrongPassword(from: proxy) == nil)
        #expect(throws: Never.self) { _ = try limiter.admitUpload(from: proxy) }
    }

    @Test func exemptAddressesAndUnknownOnesAreNotLimited() throws {
        let exempt = try #require(AddressRange.list("127.0.0.0/8, ::1 10.1.0.0/16"))
        let limiter = ClientLimiter(ClientLimits(tasksPerHour: 1, wrongPasswordsPerHour: 1, exempt: exempt))
        for text in ["127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "::ffff:10.1.2.3"] {
            for _ in 0..<3 {
                #expect(limiter.wrongPassword(from: try address(text)) == nil)
                _ = try limiter.admitUpload(from: address(text))
            }
        }
        for _ in 0..<3 { #expect(limiter.wrongPassword(from: nil) == nil) }
        #expect(limiter.count == 0)
    }

    @Test func floodOfAddressesFillsNoMemoryAndUploadsStayCounted() throws {
        let watch = Watch()
        let limiter = ClientLimiter(ClientLimits(parallelUploads: 1, maxClients: 64)) { watch.now }
        let busy = try address("192.0.2.1")
        let upload = try limiter.admitUpload(from: busy)
        for index in 0..<5000 {
            _ = limiter.wrongPassword(from: try address("10.0.\(index / 250).\(index % 250)"))
            #expect(limiter.count <= 64)
        }
        #expect(throws: Refusal.self) { try limiter.admitUpload(from: busy) }
        upload.end()
        #expect(limiter.uploads == 0)
        watch.pass(7200)
        _ = limiter.wrongPassword(from: try address("10.9.9.9"))
        #expect(limiter.count <= 64)
    }

    @Test(arguments: [
        "", "192.0.2", "192.0.2.1:80", "[::1]", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "a", "1/2/3", "/",
    ])
    func whatIsNoRangeIsRefused(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test func rangesHoldWhatSharesTheirBits() throws {
        let cases: [(String, String, Bool)] = [
            ("10.0.0.0/8", "10.255.1.1", true), ("10.0.0.0/8", "11.0.0.0", false),
            ("192.0.2.0/25", "192.0.2.127", true),
            ("192.0.2.0/25", "192.0.2.128", false), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
            ("2001:db8::/33", "2001:db8:7fff::", true), ("2001:db8::/33", "2001:db8:8000::", false),
            ("::1", "::1", true),
        ]
        for (range, text, isInside) in cases {
            #expect(try #require(AddressRange(range)).contains(address(text)) == isInside, "\(range) \(text)")
        }
    }

    /// Ids could else be found by asking for one after the other.
    @Test func guessingEndsIn429WhateverThereIsAndARightPasswordStillOpens() async throws {
        let clients = ClientLimiter(ClientLimits(wrongPasswordsPerHour: 3))
        try await GatewayBench.run(.live, clients: clients) { bench, client in
            let (directory, password) = try await bench.makeTask()
            let known = "/\(directory.task)"
            let unknown = directory.task.description == "123456789" ? "/123456788" : "/123456789"
            #expect(try await client.get(unknown, password: password).status.code == 404)
            #expect(try await client.get(known, password: "wrong").status.code == 403)
            #expect(try await client.get(known + "/backtrace").status.code == 403)
            let answers = [try await client.get(unknown, password: "x"), try await client.get(known, password: "x")]
            for answer in answers {
                #expect(answer.status.code == 429 && answer.isWellFormed())
                #expect(answer.headers[.retryAfter].flatMap(Int.init) ?? 0 > 0)
            }
            #expect(answers[0].text == answers[1].text)
            #expect(try await client.get(known, password: password).status.code == 200)
        }
    }
}

@Suite struct TrustedProxyTests {
    private static let headers: HTTPFields = [.forwardedProto: "https", .forwardedFor: "198.51.100.7"]

    @Test func forwardedProtoIsBelievedOfListedProxiesOnly() async throws {
        let loopback = try #require(AddressRange.list("127.0.0.0/8, ::1"))
        let cases: [([AddressRange], Int)] = [
            (loopback, 201), ([try #require(AddressRange("192.0.2.1"))], 403), ([], 403),
        ]
        for (proxies, status) in cases {
            let access = AccessRule(requireHTTPS: true, trustedProxies: proxies)
            try await GatewayBench.run(.live, access: access) { _, client in
                let response = try await client.upload(more: Self.headers)
                #expect(response.status.code == status)
                #expect((response.headers[.strictTransportSecurity] != nil) == (status == 201))
                #expect(try await client.upload(more: [.forwardedProto: "http"]).status.code == 403)
                #expect(try await client.upload().status.code == 403)
            }
        }
    }

    /// A proxy that took the request in the clear says so, and TLS behind it makes it no better.
    @Test func plainHTTPBeforeAProxyThatSpeaksTLSIsNotSecure() async throws {
        let access = AccessRule(
            requireHTTPS: true, listener: .tls, trustedProxies: try #require(AddressRange.list("127.0.0.1, ::1")))
        try await GatewayBench.run(.live, access: access) { _, client async throws in
            #expect(try await client.upload(more: [.forwardedProto: "http"]).status.code == 403)
            #expect(try await client.upload().status.code == 201)
        }
    }

    @Test func exemptionOfThisMachineIsNotThatOfAProxyOnIt() async throws {
        let loopback = try #require(AddressRange.list("127.0.0.0/8, ::1"))
        let clients = ClientLimiter(ClientLimits(tasksPerHour: 1, exempt: loopback))
        try await GatewayBench.run(.live, clients: clients) { _, client async throws in
            for _ in 0..<3 { #expect(try await client.upload().status.code == 201) }
            #expect(try await client.upload(more: [.forwardedFor: "198.51.100.7"]).status.code == 201)
            #expect(try await client.upload(more: [.forwardedFor: "198.51.100.8"]).status.code == 429)
            #expect(try await client.upload().status.code == 201)
        }
    }

    @Test func clientsBehindAProxyAreCountedApartAndStrangersCannotChoose() async throws {
        let loopback = try #require(AddressRange.list("127.0.0.0/8, ::1"))
        for proxies in [loopback, []] {
            let clients = ClientLimiter(ClientLimits(tasksPerHour: 1))
            try await GatewayBench.run(.live, access: AccessRule(trustedProxies: proxies), clients: clients) {
                _, client in
                #expect(try await client.upload(more: [.forwardedFor: "198.51.100.7"]).status.code == 201)
                let other = try await client.upload(more: [.forwardedFor: "198.51.100.8"])
                #expect(other.status.code == (proxies.isEmpty ? 429 : 201))
                // What the client itself has sent stands before what the proxy has appended.
                let forged = try await client.upload(more: [.forwardedFor: "198.51.100.9, 198.51.100.7"])
                #expect(forged.status.code == 429)
            }
        }
    }

    @Test(arguments: [
        (["198.51.100.7"], "198.51.100.7", true), (["1.1.1.1, 198.51.100.7, 10.0.0.2"], "198.51.100.7", true),
        (["1.1.1.1", "198.51.100.7"], "198.51.100.7", true), ([], "10.0.0.1", false),
        (["nonsense"], "10.0.0.1", false), (["198.51.100.7:4711"], "10.0.0.1", false),
        (["198.51.100.7, nonsense, 10.0.0.2"], "10.0.0.2", false), (["10.0.0.3, 10.0.0.2"], "10.0.0.3", true),
    ])
    func lastAddressThatIsNoProxyIsTheClient(fields: [String], client: String, isCertain: Bool) throws {
        let access = AccessRule(trustedProxies: [try #require(AddressRange("10.0.0.0/8"))])
        let proxy = try #require(ClientAddress("10.0.0.1"))
        let found = access.client(behind: proxy, forwardedFor: fields)
        #expect(found.address == ClientAddress(client) && found.isCertain == isCertain)
    }
}
