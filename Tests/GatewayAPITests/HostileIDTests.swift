import CrashModel
import HTTPTypes
import HummingbirdTesting
import NIOCore
import TaskStorage
import Testing

@testable import GatewayAPI

/// Ids and passwords that are meant to do harm, and what can be learnt from the answers to wrong ones.
@Suite struct HostileIDTests {
    /// What stands in an address never becomes a header of the answer.
    @Test(arguments: [
        "/1%0d%0aX-Injected:%20yes", "/1%0aX-Injected:yes/log", "/%0d%0aX-Injected:yes", "/1%0d%0aX-Injected:yes/open",
        "/1%0d%0aX-Injected:yes/close", "/open?task=1%0d%0aX-Injected:%20yes", "/1/backtrace%0d%0aX-Injected:yes",
        "/repos/a%0d%0aX-Injected:yes", "/assets/%0d%0aX-Injected:yes",
    ])
    func addressDoesNotGetIntoTheHead(path: String) async throws {
        try await GatewayBench.run(.live) { _, client in
            for method in ["GET", "POST", "HEAD"] {
                let answer = try await exchange(
                    "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    port: client.port)
                let head = answer.split(separator: "\r\n\r\n", maxSplits: 1).first ?? ""
                #expect(head.hasPrefix("HTTP/1.1 4"), "\(answer)")
                #expect(!head.lowercased().contains("x-injected"), "\(answer)")
            }
        }
    }

    /// A password from a form becomes a cookie only when it is one of ours, and a cookie cannot be grown by others.
    @Test func passwordDoesNotGetIntoTheHead() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask()
            for attack in ["\(password)%0d%0aX-Injected:1", "\(password)%3b%20Domain=evil.example", "\(password) x"] {
                let response = try await client.execute(
                    uri: "/\(directory.task)/open", method: .post, body: .init(string: "password=\(attack)")
                ) { $0 }
                #expect(response.status == .forbidden && response.headers[.setCookie] == nil, "\(attack)")
            }
        }
    }

    /// Nobody learns more from the answer to a wrong password than that it is wrong, however much of it is right.
    @Test func everyWrongPasswordGetsTheSameAnswer() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started])
            var answers: Set<String> = []
            var wrong = (0..<32).map { place -> String in
                var letters = Array(password)
                letters[place] = letters[place] == "a" ? "b" : "a"
                return String(letters)
            }
            wrong += ["", "x", String(password.dropLast()), password + "x", password.lowercased() + "A"]
            for text in wrong {
                let response = try await client.get("/\(directory.task)", password: text)
                answers.insert("\(response.status.code) \(response.headers[.taskStatus] ?? "–") \(response.text)")
            }
            #expect(answers.count == 1 && answers.first?.hasPrefix("403 – ") == true)
            #expect(try await client.get("/\(directory.task)", password: password).status == .ok)
        }
    }
}
