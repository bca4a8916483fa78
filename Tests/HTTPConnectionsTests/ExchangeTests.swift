import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPConnections

@Suite struct ExchangeTests {
    private static let upload = "POST /create HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"

    @Test func continueIsSaidWhenTheBodyIsWantedAndOnce() throws {
        let bench = try RulesBench()
        try bench.receive(Self.upload)
        #expect(try bench.sent().isEmpty)
        try bench.wantBody()
        try bench.wantBody()
        #expect(try bench.sent() == "HTTP/1.1 100 Continue\r\n\r\n")
        try bench.receive("core")
        #expect(bench.seen == ["POST /create", "core", "end"])
        try bench.answer(.created)
        let answer = try bench.sent()
        #expect(answer.hasPrefix("HTTP/1.1 201 ") && !answer.contains("close"))
        #expect(bench.isOpen)
    }

    @Test(arguments: [
        "POST / HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nco",
        "GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
    ])
    func continueIsSaidToNobodyWhoDoesNotWaitForIt(request: String) throws {
        let bench = try RulesBench()
        try bench.receive(request)
        try bench.wantBody()
        #expect(try bench.sent().isEmpty)
    }

    @Test func refusedUploadGetsTheFinalStatusAndItsBodyIsNotRead() throws {
        let bench = try RulesBench()
        try bench.receive(Self.upload)
        try bench.answer(.payloadTooLarge, "No.\n")
        let answer = try bench.sent()
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
        #expect(answer.contains("Connection: close\r\n") && answer.hasSuffix("No.\n"))
        try bench.receive("core")
        try bench.receive("GET / HTTP/1.1\r\n\r\n")
        #expect(bench.seen == ["POST /create"])
        #expect(bench.isOpen && bench.isOutputClosed)
        bench.pass(5)
        #expect(!bench.isOpen)
    }

    /// Most clients send all of a body before they look for the answer, and a connection that is closed under them hides it.
    @Test func unwantedBodyIsReadToItsEnd() throws {
        let bench = try RulesBench(ConnectionLimits(maxDrainedBytes: 10 << 20, maxNoticeBytes: 1 << 20))
        try bench.receive("POST /create HTTP/1.1\r\nContent-Length: \(10 << 20)\r\n\r\n")
        try bench.answer(.payloadTooLarge)
        let chunk = String(repeating: "x", count: 64 << 10)
        for _ in 0..<159 {
            try bench.receive(chunk)
            bench.pass(3)
            #expect(bench.isOpen)
        }
        let asked = bench.readCount
        bench.channel.read()
        #expect(bench.readCount == asked + 1)
        try bench.receive(chunk)
        bench.pass(5)
        #expect(!bench.isOpen)
        #expect(bench.seen == ["POST /create"])
    }

    /// The second says that it listens before it goes on; the third is so large that nobody waits for its end.
    @Test(arguments: [
        ("Content-Length: \(4 << 20)", 4 << 20), ("Content-Length: 900\r\nExpect: 100-continue", 1 << 20),
        ("Content-Length: 1000000000000", 1 << 20), ("Transfer-Encoding: chunked", 4 << 20),
    ])
    func unwantedBodyIsDrainedToABound(length: String, bound: Int) throws {
        let bench = try RulesBench(ConnectionLimits(maxDrainedBytes: 4 << 20, maxNoticeBytes: 1 << 20))
        try bench.receive("POST /create HTTP/1.1\r\n\(length)\r\n\r\n")
        try bench.answer(.payloadTooLarge)
        let chunk = String(repeating: "x", count: 64 << 10)
        for _ in 1..<bound / (64 << 10) { try bench.receive(chunk) }
        let before = bench.readCount
        bench.channel.read()
        #expect(bench.readCount == before + 1)
        try bench.receive(chunk)
        let asked = bench.readCount
        // Neither the application nor the socket's having read something asks for more.
        for _ in 0..<16 { bench.channel.read() }
        bench.channel.pipeline.fireChannelReadComplete()
        #expect(bench.readCount == asked)
        #expect(bench.isOpen)
        bench.pass(5)
        #expect(!bench.isOpen)
        #expect(bench.seen == ["POST /create"])
    }

    @Test func unwantedBodyIsReadNoLongerThanATimeAndNoSlowerThanAPace() throws {
        for (timeout, pace, end) in [(20, 0, 20), (900, 4096, 61)] {
            let bench = try RulesBench(ConnectionLimits(drainTimeout: .seconds(timeout), minBodyPace: pace))
            try bench.receive("POST /create HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n")
            try bench.answer(.payloadTooLarge)
            for second in 1...end {
                #expect(bench.isOpen, "\(second)")
                try bench.receive(String(repeating: "x", count: 100))
                bench.pass(1)
            }
            #expect(!bench.isOpen)
        }
    }

    @Test func serverThatStopsDoesNotWaitForUnwantedBodies() throws {
        let bench = try RulesBench()
        try bench.receive("POST /create HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n")
        try bench.answer(.payloadTooLarge)
        for _ in 0..<10 {
            try bench.receive(String(repeating: "x", count: 64 << 10))
            bench.pass(1)
        }
        #expect(bench.isOpen)
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        bench.pass(0)
        #expect(!bench.isOpen)
    }

    @Test func pipelinedRequestsAreAnsweredInTurnAndNoneAfterClose() throws {
        let bench = try RulesBench()
        try bench.receive("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\nGET /3 HTTP/1.1\r\n\r\n")
        try bench.answer(.ok, "1")
        #expect(try !bench.sent().contains("close"))
        try bench.answer(.ok, "2")
        #expect(try bench.sent().contains("Connection: close"))
        try bench.answer(.ok, "3")
        #expect(try bench.sent().isEmpty)
    }

    @Test(arguments: [
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nBad Name: x\r\n\r\n",
        "GET / HTTP/3.7\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -4\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: +4\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 0x4\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nX: a\u{0}b\r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n",
    ])
    func whatIsNoRequestIs400AndTheEnd(bytes: String) throws {
        let bench = try RulesBench()
        try bench.receive(bytes)
        let answer = try bench.sent()
        #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("Connection: close\r\n"), "\(answer)")
        try bench.receive("GET / HTTP/1.1\r\n\r\n")
        #expect(bench.seen.isEmpty)
        bench.pass(5)
        #expect(!bench.isOpen)
    }

    /// The rest of a body that is longer than was said is the next request, and no request.
    @Test func bytesBehindALyingLengthAreRefusedAfterTheAnswer() throws {
        let bench = try RulesBench()
        try bench.receive("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\ncore dump")
        #expect(try bench.sent().isEmpty)
        try bench.answer(.created)
        let answer = try bench.sent()
        #expect(answer.hasPrefix("HTTP/1.1 201 ") && answer.contains("Connection: close\r\n"))
        #expect(bench.seen == ["POST /", "co", "end"])
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 5000) + "\r\n\r\n",
        "GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 5000),
        "GET /" + String(repeating: "a", count: 5000),
        "GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 1000),
    ])
    func headOverTheLimitIs431(bytes: String) throws {
        let bench = try RulesBench(ConnectionLimits(maxHeadBytes: 4096))
        try bench.receive(bytes)
        #expect(try bench.sent().hasPrefix("HTTP/1.1 431 "))
        #expect(bench.seen.isEmpty)
    }

    @Test func answerToHeadEndsWithItsHeadThoughTheLengthIsUnknown() throws {
        let bench = try RulesBench()
        try bench.receive("HEAD /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
        try bench.answer(.ok, hasLength: false)
        let head = try bench.sent()
        #expect(head.hasPrefix("HTTP/1.1 200 ") && head.hasSuffix("\r\n\r\n") && !head.contains("\r\n0\r\n"))
        #expect(!head.lowercased().contains("content-length"))
        try bench.answer(.ok, "two", hasLength: false)
        #expect(try bench.sent().hasSuffix("3\r\ntwo\r\n0\r\n\r\n"))
        #expect(bench.isOpen)
    }

    @Test func clientOfHTTP10IsAnsweredInItsVersionAndTheConnectionEnds() throws {
        let bench = try RulesBench()
        try bench.receive("GET / HTTP/1.0\r\n\r\n")
        try bench.answer(.ok, "1")
        let answer = try bench.sent()
        #expect(answer.hasPrefix("HTTP/1.0 200 ") && answer.contains("Connection: close\r\n"))
    }

    @Test func answerReachesAClientThatHasClosedItsSide() throws {
        let bench = try RulesBench()
        try bench.receive("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        try bench.answer(.ok, "all of it")
        #expect(try bench.sent().hasSuffix("all of it"))
        #expect(!bench.isOpen)
    }
}
