import CrashModel
import HTTPTypes
import HummingbirdTesting
import NIOCore
import TaskStorage
import Testing

@testable import GatewayAPI

/// HEAD wherever GET is, with the same head; 405 with `Allow` for what else there is no answer to.
@Suite struct MethodTests {
    private static let pages = [
        "/", "/submit", "/stats", "/stats.json", "/settings", "/releases", "/openapi.json", "/assets/style.css",
        "/assets/task.js", "/favicon.ico", "/open?task=123456789",
    ]

    @Test(arguments: pages) func headIsAnsweredWithTheHeadOfGet(path: String) async throws {
        try await GatewayBench.run { _, client in
            let (get, head) = (try await client.get(path), try await client.get(path, method: .head))
            #expect(head.status == get.status && head.status.code < 400)
            #expect(head.body.readableBytes == 0)
            for name in [HTTPField.Name.contentType, .contentLength, .eTag, .location] {
                #expect(head.headers[name] == get.headers[name], "\(name)")
            }
        }
    }

    @Test func headOfATasksAddressesIsThatOfGet() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            try write("#0  main () at main.c:1\n".utf8, to: directory.backtrace)
            for path in ["", "/backtrace", "/log", "/events", "/backtrace.json", "/results", "/results/ps"] {
                let path = "/\(directory.task)\(path)"
                let get = try await client.get(path, password: password)
                let head = try await client.get(path, password: password, method: .head)
                #expect(head.status == get.status && head.body.readableBytes == 0, "\(path)")
                #expect(head.headers[.contentType] == get.headers[.contentType])
                #expect(head.headers[.contentLength] == get.headers[.contentLength])
                #expect(try await client.get(path, password: "x", method: .head).status == .forbidden)
            }
        }
    }

    /// The length of what is compressed is only known at its end. Said as 0 it would be wrong, and the last chunk of a
    /// body that is not sent would be taken for the next answer.
    @Test func headOfACompressedResultSaysNoLengthAndTheConnectionGoesOn() async throws {
        try await GatewayBench.run(.live) { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            try write(String(repeating: "#0  main () at main.c:1\n", count: 300).utf8, to: directory.backtrace)
            func request(_ method: String, _ last: Bool = false) -> String {
                "\(method) /\(directory.task)/backtrace HTTP/1.1\r\nHost: localhost\r\nX-Task-Password: \(password)\r\n"
                    + "Accept-Encoding: \(last ? "identity" : "gzip")\r\n\(last ? "Connection: close\r\n" : "")\r\n"
            }
            let all = try await exchange(request("HEAD") + request("HEAD", true), port: client.port)
            let answers = all.split(separator: "HTTP/1.1 ").map(String.init)
            try #require(answers.count == 2, "\(all)")
            #expect(answers[0].hasPrefix("200 ") && answers[0].contains("Content-Encoding: gzip\r\n"))
            #expect(!answers[0].lowercased().contains("content-length") && answers[0].hasSuffix("\r\n\r\n"))
            #expect(!answers[0].contains("\r\n\r\n0\r\n"))
            #expect(answers[1].contains("Content-Length: 7200\r\n") && answers[1].hasSuffix("\r\n\r\n"))
            let old = try await exchange(
                request("HEAD").replacing("HTTP/1.1", with: "HTTP/1.0"), port: client.port)
            #expect(old.contains("Connection: close\r\n") && old.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func headOfAnEventStreamTakesNoListenersPlace() async throws {
        var limits = GatewayLimits()
        limits.events.maximumListeners = 1
        try await GatewayBench.run(limits: limits) { bench, client in
            let (directory, password) = try await bench.makeTask()
            for _ in 0..<3 {
                let head = try await client.get("/\(directory.task)/events", password: password, method: .head)
                #expect(head.status == .ok && head.headers[.contentType] == "text/event-stream")
            }
        }
    }

    @Test(arguments: [
        ("/submit", "GET, HEAD"), ("/releases", "GET, HEAD"), ("/openapi.json", "GET, HEAD"), ("/open", "GET, HEAD"),
        ("/assets/style.css", "GET, HEAD"), ("/favicon.ico", "GET, HEAD"), ("/repos", "GET, HEAD"),
        ("/repos/debian-12-x86_64/pool", "GET, HEAD"), ("/123456789/events", "GET, HEAD"),
        ("/123456789/results", "GET, HEAD"), ("/123456789/results/ps", "GET, HEAD"),
        ("/123456789/open", "POST"), ("/123456789/close", "POST"),
    ])
    func otherMethodsAre405AndToldWhatIsTaken(path: String, allowed: String) async throws {
        try await GatewayBench.run { _, client in
            for method in [HTTPRequest.Method.get, .post, .put, .delete, .patch, .options, .trace]
            where !allowed.contains(method.rawValue) {
                let response = try await client.get(path, method: method)
                #expect(response.status == .methodNotAllowed && response.headers[.allow] == allowed)
                #expect(response.isWellFormed() && response.text.hasPrefix("This address takes \(allowed) only.\n"))
            }
        }
    }

    @Test(arguments: ["/", "/settings", "/releases", "/create", "/123456789", "/nowhere"])
    func methodThatNobodyKnowsIs501(path: String) async throws {
        try await GatewayBench.run(.live) { _, client in
            let answer = try await exchange(
                "PROPFIND \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", port: client.port)
            #expect(answer.hasPrefix("HTTP/1.1 501 ") && answer.contains("This address takes GET, HEAD, "), "\(answer)")
        }
    }

    @Test func formOfTheFrontPageLeadsToTheTaskAndNowhereElse() async throws {
        try await GatewayBench.run { _, client in
            #expect(try await client.get("/").text.contains("action=\"/open\""))
            let response = try await client.get("/open?task=123456789")
            #expect(response.status == .seeOther && response.headers[.location] == "/123456789")
            for query in [
                "", "?task=", "?task=abc", "?task=//evil.example", "?task=1%0d%0aX-Injected:1", "?task=-1", "?task=0",
                "?other=1", "?task=" + String(repeating: "9", count: 30),
            ] {
                let answer = try await client.get("/open\(query)")
                #expect(answer.status == .notFound && answer.headers[.location] == nil, "\(query)")
            }
        }
    }
}
