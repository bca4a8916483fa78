import CrashModel
import FoundationEssentials
import Glibc
import HTTPTypes
import HummingbirdTesting
import NIOCore
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import GatewayAPI

/// `/<id>/results` and what it lists. Tags, ranges and compression are in `ResultTests`.
@Suite struct NamedResultTests {
    private static let secret = "root:x:0:0"

    /// A task with two results, and beside them what is none.
    private func withResults(
        _ setting: TestingSetup = .router, _ events: [TaskEvent.Kind] = [.started, .succeeded],
        _ body: @escaping @Sendable (GatewayBench, any TestClientProtocol, String, String) async throws -> Void
    ) async throws {
        try await GatewayBench.run(setting) { bench, client in
            let (directory, password) = try await bench.makeTask(events)
            try write(Self.secret.utf8, to: directory.path.appending("secret"))
            try write("the backtrace\n".utf8, to: directory.backtrace)
            try DebianArchive.makeDirectories(directory.results.appending("folder"))
            try write("stacks\n".utf8, to: directory.results.appending("bt-a"))
            try write("tasks\n".utf8, to: directory.results.appending("ps"))
            for name in ["ps.new", ".hidden", "a b", "<b>"] {
                try write(Self.secret.utf8, to: directory.results.appending(name))
            }
            try #require(symlink("../secret", directory.results.appending("link").string) == 0)
            try #require(mkfifo(directory.results.appending("fifo").string, 0o600) == 0)
            try await body(bench, client, "/\(directory.task)", password)
        }
    }

    @Test func listNamesWhatIsPublishedAndNothingElse() async throws {
        try await withResults { _, client, task, password in
            let text = try await client.get("\(task)/results", password: password)
            #expect(text.status == .ok && text.isWellFormed() && text.text == "bt-a\t7\nps\t6\n")
            #expect(text.headers[.vary] == "Accept, Accept-Encoding")
            let browser = "text/html,application/xhtml+xml,*/*;q=0.8"
            let seen = try await client.get("\(task)/results", password: password, accept: browser)
            #expect(seen.isWellFormed() && seen.text == text.text)
            let json = try await client.get("\(task)/results", password: password, accept: "application/json")
            #expect(json.status == .ok && json.isWellFormed("application/json"))
            let list = try JSONDecoder().decode(List.self, from: Data(json.body.readableBytesView))
            #expect(list.version == 1 && "/\(list.task)" == task)
            #expect(
                list.results == [
                    .init(name: "bt-a", bytes: 7, path: "\(task)/results/bt-a"),
                    .init(name: "ps", bytes: 6, path: "\(task)/results/ps"),
                ])
        }
    }

    @Test func eachIsServedByItsNameAndHeadIsItsHead() async throws {
        try await withResults { _, client, task, password in
            let whole = try await client.get("\(task)/results/bt-a", password: password)
            #expect(whole.status == .ok && whole.isWellFormed() && whole.text == "stacks\n")
            for path in ["\(task)/results", "\(task)/results/bt-a", "\(task)/results/absent"] {
                let get = try await client.get(path, password: password)
                let head = try await client.get(path, password: password, method: .head)
                #expect(head.status == get.status && head.body.readableBytes == 0)
                for name in [HTTPField.Name.contentType, .contentLength, .eTag] {
                    #expect(head.headers[name] == get.headers[name], "\(name)")
                }
            }
        }
    }

    @Test func whatIsNotThereIs404InWords() async throws {
        try await withResults { _, client, task, password in
            let absent = try await client.get("\(task)/results/mount", password: password)
            #expect(absent.status == .notFound && absent.isWellFormed())
            #expect(absent.text.contains("\(task)/results/mount"))
            for name in ["link", "fifo", "folder", "Ps", "p"] {
                #expect(try await client.get("\(task)/results/\(name)", password: password).status == .notFound)
            }
        }
        try await GatewayBench.run { bench, client in
            let (pending, password) = try await bench.makeTask([.started])
            let early = try await client.get("/\(pending.task)/results", password: password)
            #expect(early.status == .notFound && early.text.contains("is not there yet"))
            let (done, other) = try await bench.makeTask([.succeeded])
            let none = try await client.get("/\(done.task)/results", password: other)
            #expect(none.status == .notFound && none.text.contains("has ended without"))
        }
    }

    @Test(arguments: [
        "ps.new", ".hidden", "..", ".", "../secret", "%2e%2e%2fsecret", "..%2fsecret", "%2e%2e/secret", "folder/",
        "folder/x", "ps/", "ps%00", "ps%2f", "/etc/passwd", "%2fetc%2fpasswd", "a%20b", "%3cb%3e", "-ps", "", "*", "~",
        "ps%0d%0aX-Injected:%20yes",
    ])
    func clientChoosesNoPath(name: String) async throws {
        try await withResults(.live) { _, client, task, password in
            let answer = try await exchange(
                "GET \(task)/results/\(name) HTTP/1.1\r\nHost: localhost\r\nX-Task-Password: \(password)\r\n"
                    + "Connection: close\r\n\r\n", port: client.port)
            #expect(answer.hasPrefix("HTTP/1.1 404 "), "\(answer)")
            #expect(!answer.contains(Self.secret) && !answer.lowercased().contains("x-injected"), "\(answer)")
        }
    }

    /// The order of refusals is that of every other result.
    @Test func passwordIsAskedForBeforeAnythingIsTold() async throws {
        try await withResults { bench, client, task, password in
            for path in ["/results", "/results/ps", "/results/absent", "/results/ps.new"] {
                let backtrace = try await client.get("\(task)/backtrace")
                let answers = [
                    try await client.get(task + path), try await client.get(task + path, password: password + "x"),
                ]
                for answer in answers { #expect(answer.status == .forbidden && answer.text == backtrace.text) }
                #expect(try await client.get("/1\(path)", password: password).status == .notFound)
                #expect(try await client.get("/abc\(path)", password: password).status == .notFound)
            }
            let (_, other) = try await bench.makeTask()
            #expect(try await client.get("\(task)/results/ps", password: other).status == .forbidden)
            let cookie: HTTPFields = [.cookie: "retrace-task=\(password)"]
            #expect(try await client.get("\(task)/results/ps", more: cookie).text == "tasks\n")
            var foreign = cookie
            foreign[.secFetchSite] = "cross-site"
            #expect(try await client.get("\(task)/results/ps", more: foreign).status == .forbidden)
        }
    }

    @Test func httpsIsRequiredForThemToo() async throws {
        try await GatewayBench.run(access: AccessRule(requireHTTPS: true)) { bench, client in
            let (directory, password) = try await bench.makeTask([.succeeded])
            for path in ["/results", "/results/ps"] {
                let answer = try await client.get("/\(directory.task)\(path)", password: password)
                #expect(answer.status == .forbidden && answer.text.contains("HTTPS"))
            }
        }
    }

    /// It is there long before the task ends, and the retracer has not looked at it yet.
    @Test func logOfTheDumpIsThereEarlyAndCommandsNoTerminal() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started], stage: .ingest)
            try DebianArchive.makeDirectories(directory.results)
            try write(
                Array("[1.0] \u{1b}]0;x\u{7}\u{202e}panic\n".utf8) + [0xff], to: directory.results.appending("log"))
            let path = "/\(directory.task)/results"
            #expect(try await client.get(path, password: password).text.hasPrefix("log\t"))
            let log = try await client.get("\(path)/log", password: password)
            #expect(log.status == .ok && log.isWellFormed() && log.text.contains("panic\n"))
            #expect(!log.text.unicodeScalars.contains { "\u{1b}\u{7}\u{202e}".unicodeScalars.contains($0) })
            let tag = try #require(log.headers[.eTag])
            let again = try await client.get("\(path)/log", password: password, more: [.ifNoneMatch: tag])
            #expect(again.status == .notModified)
        }
    }

    @Test func pageOfTheTaskLinksThem() async throws {
        let failure = StageError(.retrace, StageError.Code("crash-timeout"), "It took too long.")
        for kinds in [[TaskEvent.Kind.started, .succeeded], [.started]] {
            try await withResults(.router, kinds) { bench, client, task, password in
                if kinds == [.started] {
                    _ = try await bench.store.apply(
                        TaskEvent(
                            task: try TaskID(String(task.dropFirst())), stage: .retrace, kind: .failed, microseconds: 9,
                            message: "No.", error: failure))
                }
                let cookie: HTTPFields = [.cookie: "retrace-task=\(password)"]
                let page = try await client.get(task, accept: "text/html", more: cookie)
                #expect(page.status == .ok)
                let links = [
                    "<li><a href=\"\(task)/results/bt-a\">bt-a</a> <small>7 bytes</small></li>",
                    "<li><a href=\"\(task)/results/ps\">ps</a> <small>6 bytes</small></li>",
                ]
                for link in links { #expect(page.text.contains(link), "\(page.text)") }
                #expect(page.text.split(separator: "/results/").count == 3)
            }
        }
    }

    @Test func statusOfAFinishedTaskNamesTheList() async throws {
        try await withResults { _, client, task, password in
            let status = try await client.get(task, password: password, accept: "application/json")
            #expect(status.text.contains("\"results\" : \"\(task)/results\""))
            #expect(try JSONSchema(named: "TaskStatus").violations(of: Array(status.body.readableBytesView)) == [])
        }
    }

    private struct List: Decodable {
        let version: Int
        let task: String
        let results: [Item]

        struct Item: Decodable, Equatable {
            let name: String
            let bytes: Int
            let path: String
        }
    }
}
