import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPConnections

@Suite struct QuickAnswersTests {
    private func bench() throws -> RulesBench {
        try RulesBench(quick: { head, _ in
            head.uri == "/quick" ? QuickAnswer(headers: ["Server": "test"], body: ByteBuffer(string: "at once")) : nil
        })
    }

    @Test func theApplicationDoesNotSeeWhatIsAnsweredAtOnce() throws {
        let bench = try bench()
        for _ in 0..<3 {
            try bench.receive("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = try bench.sent()
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("Server: test\r\n") && answer.contains("Content-Length: 7\r\n"))
            #expect(answer.contains("\r\nDate: ") && answer.hasSuffix(" GMT\r\n\r\nat once"))
        }
        #expect(bench.seen.isEmpty)
        #expect(bench.isOpen)
    }

    @Test func requestsOnOneConnectionAreAnsweredInTheirOrder() throws {
        let bench = try bench()
        try bench.receive(
            "GET /quick HTTP/1.1\r\n\r\nGET /slow HTTP/1.1\r\n\r\nGET /quick HTTP/1.1\r\n\r\n")
        #expect(bench.seen == ["GET /slow", "end", "GET /quick", "end"])
        let first = try bench.sent()
        #expect(first.components(of: "HTTP/1.1 ") == 1)
        try bench.answer(.ok, "slow")
        try bench.answer(.ok, "by the application")
        #expect(try bench.sent().hasSuffix("by the application"))
        try bench.receive("GET /quick HTTP/1.1\r\n\r\n")
        #expect(try bench.sent().hasSuffix("at once"))
    }

    /// Otherwise a client that sends requests and reads nothing would have the answers pile up here.
    @Test func whoDoesNotReadTheAnswersIsTheApplications() throws {
        let bench = try bench()
        bench.channel.isWritable = false
        try bench.receive("GET /quick HTTP/1.1\r\n\r\n")
        #expect(bench.seen == ["GET /quick", "end"])
        #expect(try bench.sent().isEmpty)
    }

    @Test func theLastAnswerBeforeTheServerStopsSaysSo() throws {
        let bench = try bench()
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        try bench.receive("GET /quick HTTP/1.1\r\n\r\n")
        let answer = try bench.sent()
        #expect(answer.contains("Connection: close\r\n") && answer.hasSuffix("\r\n\r\nat once"))
        #expect(answer.components(of: "Content-Length") == 1 && answer.components(of: "Date: ") == 1)
    }

    @Test(arguments: [
        "POST /quick HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "HEAD /quick HTTP/1.1\r\n\r\n",
        "GET /quick HTTP/1.0\r\n\r\n", "GET /quick HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /quick HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "GET /quick HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
        "GET /quick HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ])
    func anythingButAPlainGetIsTheApplications(request: String) throws {
        let bench = try bench()
        try bench.receive(request)
        #expect(bench.seen.count == 2)
        #expect(try bench.sent().isEmpty)
    }

    /// The example of RFC 9110, 5.6.7, and both ends of a year.
    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
    ])
    func datesAreThoseOfHTTP(second: Int, text: String) { #expect(HTTPDate.text(second) == text) }
}

extension String {
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
