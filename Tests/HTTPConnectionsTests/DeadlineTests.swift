import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPConnections

@Suite struct DeadlineTests {
    @Test func connectionWithoutARequestIsClosedWithoutAWord() throws {
        let bench = try RulesBench()
        bench.pass(29)
        #expect(bench.isOpen)
        bench.pass(1)
        #expect(!bench.isOpen)
        #expect(try bench.sent().isEmpty)
    }

    /// Slow-loris: each byte would start the time anew.
    @Test func headThatTricklesIsCutOffHoweverItGoesOn() throws {
        let bench = try RulesBench()
        for byte in "GET / HTTP/1.1\r\nX-Trickle: aaaaaaaaaaaaa".prefix(29) {
            try bench.receive(String(byte))
            bench.pass(1)
        }
        #expect(bench.isOpen)
        #expect(try bench.sent().isEmpty)
        bench.pass(1)
        #expect(try bench.sent().hasPrefix("HTTP/1.1 408 "))
        #expect(bench.seen.isEmpty)
    }

    @Test func idleConnectionIsClosedAfterItsKeepAliveTime() throws {
        let bench = try RulesBench()
        try bench.receive("GET / HTTP/1.1\r\n\r\n")
        try bench.answer()
        bench.pass(59)
        #expect(bench.isOpen)
        bench.pass(1)
        #expect(!bench.isOpen)
    }

    @Test func laterHeadThatTricklesIsCutOffToo() throws {
        let bench = try RulesBench()
        try bench.receive("GET / HTTP/1.1\r\n\r\n")
        try bench.answer()
        _ = try bench.sent()
        bench.pass(50)
        try bench.receive("GET ")
        bench.pass(29)
        #expect(try bench.sent().isEmpty)
        bench.pass(1)
        #expect(try bench.sent().hasPrefix("HTTP/1.1 408 "))
    }

    @Test func silentBodyIsGivenUpAndOneThatGoesOnIsNot() throws {
        let bench = try RulesBench(ConnectionLimits(minBodyPace: 0))
        try bench.receive("POST /create HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
        for _ in 0..<5 {
            bench.pass(59)
            try bench.receive("x")
        }
        #expect(!bench.seen.contains("BodyTimedOut"))
        bench.pass(60)
        #expect(bench.seen.last == "BodyTimedOut")
        try bench.answer(.requestTimeout)
        #expect(try bench.sent().contains("Connection: close"))
    }

    /// A few such clients would else hold every place with almost no traffic.
    @Test func bodyThatTricklesIsGivenUpAfterItsGraceAndOneThatKeepsThePaceIsNot() throws {
        let limits = ConnectionLimits(minBodyPace: 100, paceGrace: .seconds(60))
        for (each, end) in [(50, 118), (99, nil), (101, nil)] as [(Int, Int?)] {
            let bench = try RulesBench(limits)
            try bench.receive("POST /create HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
            for second in 1...1000 {
                bench.pass(1)
                if bench.seen.last == "BodyTooSlow" { break }
                #expect(end.map { second <= $0 } ?? true, "\(each) \(second)")
                try bench.receive(String(repeating: "x", count: each))
            }
            #expect((bench.seen.last == "BodyTooSlow") == (end != nil), "\(each)")
            guard end != nil else { continue }
            try bench.answer(.requestTimeout)
            #expect(try bench.sent().contains("Connection: close"))
            // Who has been too slow is not waited for any longer.
            for _ in 1...5 {
                #expect(bench.isOpen)
                try bench.receive("x")
                bench.pass(1)
            }
            #expect(!bench.isOpen)
        }
    }

    @Test func timeInWhichNobodyReadsABodyIsNotCountedAgainstItsPace() throws {
        let bench = try RulesBench(ConnectionLimits(minBodyPace: 100, paceGrace: .seconds(60)))
        try bench.receive("POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
        for _ in 0..<20 {
            bench.pass(2)
            try bench.channel.writeInbound(ByteBuffer(string: "x"))
            // The disk is slow.
            bench.pass(100)
            bench.channel.read()
        }
        #expect(!bench.seen.contains("BodyTooSlow") && !bench.seen.contains("BodyTimedOut"))
        bench.pass(20)
        #expect(bench.seen.last == "BodyTooSlow")
    }

    /// A slow disk of ours is no fault of the client's.
    @Test func bodyThatNobodyReadsIsNotGivenUp() throws {
        let bench = try RulesBench()
        try bench.channel.writeInbound(ByteBuffer(string: "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nx"))
        bench.pass(3600)
        #expect(!bench.seen.contains("BodyTimedOut"))
        bench.channel.read()
        bench.pass(59)
        #expect(!bench.seen.contains("BodyTimedOut"))
        bench.pass(1)
        #expect(bench.seen.last == "BodyTimedOut")
    }

    /// ABRT's client waits 60 s for the answer to its upload, and other clients longer.
    @Test func requestThatIsBeingAnsweredHasNoDeadline() throws {
        let bench = try RulesBench()
        try bench.receive("POST /create HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
        bench.pass(3600)
        #expect(bench.isOpen)
        try bench.answer(.created)
        #expect(try bench.sent().hasPrefix("HTTP/1.1 201 "))
    }

    @Test func clientThatTakesNothingIsCutOff() throws {
        let bench = try RulesBench()
        try bench.receive("GET / HTTP/1.1\r\n\r\n")
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "9"])
        // Not flushed: the socket takes nothing.
        bench.channel.write(HTTPServerResponsePart.head(head), promise: nil)
        bench.pass(30)
        bench.channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "1234"))), promise: nil)
        bench.pass(29)
        #expect(bench.isOpen)
        // It is looked at once a second.
        bench.pass(2)
        #expect(!bench.isOpen)
    }

    @Test func clientThatTakesItsTimeIsNotCutOff() throws {
        let bench = try RulesBench()
        try bench.receive("GET / HTTP/1.1\r\n\r\n")
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "400"])
        bench.channel.write(HTTPServerResponsePart.head(head), promise: nil)
        for _ in 0..<10 {
            bench.pass(50)
            bench.channel.flush()
            bench.channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "1234"))), promise: nil)
        }
        #expect(bench.isOpen)
    }
}
