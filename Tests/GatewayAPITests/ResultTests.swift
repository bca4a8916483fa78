import CrashModel
import Glibc
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Sandbox
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import GatewayAPI

@Suite struct ResultTests {
    private let long = String(repeating: "#0 main () at main.c:1\n", count: 40_000)

    private func withResult(
        _ text: String, _ body: @escaping @Sendable (String, String, any TestClientProtocol) async throws -> Void
    ) async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .succeeded])
            try write(text.utf8, to: directory.backtrace)
            try write(text.utf8, to: directory.backtraceJSON)
            try mkdirOrFail(directory.results)
            try write(text.utf8, to: directory.results.appending("exploitable"))
            for name in ["backtrace", "backtrace.json", "exploitable", "results/exploitable"] {
                try await body("/\(directory.task)/\(name)", password, client)
            }
        }
    }

    @Test func plainRequestGetsAllBytesAsTheyAre() async throws {
        try await withResult(long) { path, password, client in
            let response = try await client.get(path, password: password)
            #expect(response.status == .ok && response.text == long)
            #expect(response.headers[.contentLength] == String(long.utf8.count))
            #expect(response.headers[.contentEncoding] == nil && response.headers[.contentRange] == nil)
            #expect(response.headers[.cacheControl] == "no-store")
        }
    }

    @Test func knownTagIs304WithoutABody() async throws {
        try await withResult(long) { path, password, client in
            let tag = try #require(try await client.get(path, password: password).headers[.eTag])
            for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                let again = try await client.get(path, password: password, more: [.ifNoneMatch: known])
                #expect(again.status == .notModified && again.body.readableBytes == 0)
                #expect(again.headers[.eTag] == tag)
            }
            let other = try await client.get(path, password: password, more: [.ifNoneMatch: "\"other\""])
            #expect(other.status == .ok && other.text == long)
            let stranger = try await client.get(path, password: "x", more: [.ifNoneMatch: tag])
            #expect(stranger.status == .forbidden)
        }
    }

    @Test(arguments: [
        ("bytes=0-9", 0..<10), ("bytes=10-10", 10..<11), ("bytes=90-", 90..<100), ("bytes=-7", 93..<100),
        ("bytes=50-999", 50..<100), ("bytes=-999", 0..<100),
    ])
    func rangeGivesTheseBytes(field: String, range: Range<Int>) async throws {
        let text = String((0..<100).map { Character(UnicodeScalar(UInt8(32 + $0 % 90))) })
        try await withResult(text) { path, password, client in
            let response = try await client.get(path, password: password, more: [.range: field])
            #expect(response.status == .partialContent)
            #expect(response.text == String(text.dropFirst(range.lowerBound).prefix(range.count)))
            #expect(response.headers[.contentRange] == "bytes \(range.lowerBound)-\(range.upperBound - 1)/100")
        }
    }

    @Test func rangeBeyondTheEndIs416AndNonsenseIsIgnored() async throws {
        try await withResult("0123456789") { path, password, client in
            for field in ["bytes=10-", "bytes=99999999999999999999-", "bytes=-0"] {
                let response = try await client.get(path, password: password, more: [.range: field])
                #expect(response.status == .rangeNotSatisfiable)
                #expect(response.headers[.contentRange] == "bytes */10")
            }
            for field in ["bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=a-b", "bytes=--1"] {
                let response = try await client.get(path, password: password, more: [.range: field])
                #expect(response.status == .ok && response.text == "0123456789")
            }
            let tag = try #require(try await client.get(path, password: password).headers[.eTag])
            for (condition, status) in [(tag, HTTPResponse.Status.partialContent), ("\"old\"", .ok)] {
                let response = try await client.get(
                    path, password: password, more: [.range: "bytes=0-1", .ifRange: condition])
                #expect(response.status == status)
            }
        }
    }

    @Test func gzipIsTheSameTextForThoseWhoTakeIt() async throws {
        try await withResult(long) { path, password, client in
            let plain = try await client.get(path, password: password)
            for accepted in ["gzip", "br, gzip;q=0.5"] {
                let packed = try await client.get(path, password: password, more: [.acceptEncoding: accepted])
                #expect(packed.status == .ok && packed.headers[.contentEncoding] == "gzip")
                #expect(packed.headers[.eTag] != plain.headers[.eTag])
                #expect(packed.body.readableBytes < long.utf8.count / 10)
                #expect(try await gunzip(packed.body) == long)
            }
            for refused in ["gzip;q=0", "br", "identity", "*;q=0"] {
                let answer = try await client.get(path, password: password, more: [.acceptEncoding: refused])
                #expect(answer.headers[.contentEncoding] == nil && answer.text == long)
            }
        }
    }

    @Test func smallResultsAreNotCompressed() async throws {
        try await withResult("short") { path, password, client in
            let answer = try await client.get(path, password: password, more: [.acceptEncoding: "gzip"])
            #expect(answer.headers[.contentEncoding] == nil && answer.text == "short")
        }
    }

    @Test func logHasATagThatChangesWithIt() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started])
            let path = "/\(directory.task)/log"
            let first = try #require(try await client.get(path, password: password).headers[.eTag])
            #expect(
                try await client.get(path, password: password, more: [.ifNoneMatch: first]).status == .notModified)
            _ = try await bench.store.apply(
                TaskEvent(task: directory.task, stage: .retrace, kind: .succeeded, microseconds: 9, message: "done"))
            let second = try await client.get(path, password: password, more: [.ifNoneMatch: first])
            #expect(second.status == .ok && second.headers[.eTag] != first)
        }
    }

    @Test func logOfAKernelIsThereBeforeItsBacktrace() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started])
            try mkdirOrFail(directory.results)
            try write("[    1.0] Kernel panic - not syncing\n".utf8, to: directory.results.appending("log"))
            let text = try await client.get("/\(directory.task)/log", password: password).text
            #expect(text.hasSuffix("== KERNEL LOG ==\n[    1.0] Kernel panic - not syncing\n"), "\(text)")
        }
    }

    @Test func ofALongLogOfAKernelTheEndIsShown() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started])
            try mkdirOrFail(directory.results)
            let line = "[    1.0] " + String(repeating: "x", count: 90) + "\n"
            let text = String(repeating: line, count: 60_000) + "[    2.0] Kernel panic - not syncing\n"
            try write("[the first 77 bytes of this log are left out]\n\(text)".utf8, to: directory.kernelLog)
            let shown = try await client.get("/\(directory.task)/log", password: password).text
            #expect(shown.hasSuffix("[    2.0] Kernel panic - not syncing\n") && shown.utf8.count < 4 << 20)
            let parts = shown.split(separator: "== KERNEL LOG ==\n[the first ", maxSplits: 1)
            let kept = try #require(parts.last?.split(separator: " bytes of this log are left out]\n", maxSplits: 1))
            #expect(kept.count == 2 && kept[0] == "\(77 + text.utf8.count - kept[1].utf8.count)")
        }
    }

    private func gunzip(_ body: ByteBuffer) async throws -> String {
        try await ScratchDirectory.with { directory in
            let packed = directory.appending("packed.gz")
            try write(body.readableBytesView, to: packed)
            let result = try await runTool(["gzip", "-dc", packed.string])
            return String(decoding: result.standardOutput, as: UTF8.self)
        }
    }
}

private func mkdirOrFail(_ path: FilePath) throws {
    guard mkdir(path.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
}
