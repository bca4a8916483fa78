import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JobMessages
import NIOCore
import NIOPosix
import SystemPackage
import TaskStorage
import Testing

@testable import GatewayAPI

@Suite(.serialized) struct StreamingTests {
    private static func head(_ length: Int) -> String {
        """
        POST /create HTTP/1.1\r
        Host: localhost\r
        Content-Type: application/x-tar\r
        Content-Length: \(length)\r
        Connection: close\r
        \r\n
        """
    }

    /// Other suites run in the same process and take memory of their own, so the calmest of a few uploads counts.
    @Test func sixtyMegabytesAreStreamedWithFlatMemory() async throws {
        let bytes = 60 << 20
        let (sizes, report) = AsyncStream.makeStream(of: Int.self)
        let ingest: GatewayBench.Ingest = { _, directory in
            report.yield((try? ResultFile(at: directory.upload))?.byteCount ?? -1)
            return replies([.pickedUp, .accepted])
        }
        try await GatewayBench.run(.live, ingest: ingest) { _, client in
            let port = client.port
            var seen = sizes.makeAsyncIterator()
            var calmest = Int.max
            for _ in 0..<5 where calmest >= bytes / 3 {
                let before = try resetPeakMemory()
                let answer = try await clientThreads.runIfActive {
                    let connection = try RawConnection(port: port)
                    try connection.send(Self.head(bytes).utf8)
                    let chunk = [UInt8](repeating: 0x5a, count: 64 << 10)
                    for _ in 0..<bytes / chunk.count { try connection.send(chunk) }
                    return connection.receiveAll()
                }
                calmest = min(calmest, try peakMemory() - before)
                #expect(answer.hasPrefix("HTTP/1.1 201"))
                #expect(await seen.next() == bytes)
            }
            #expect(calmest < bytes / 3, "grew by \(calmest >> 20) MiB")
        }
    }

    @Test func bodyIsReadNoFasterThanItIsWritten() async throws {
        let (chunk, count) = (64 << 10, 200)
        try await GatewayBench.run { bench, _ in
            var fields = HTTPFields()
            fields[.contentType] = "application/x-tar"
            fields[.contentLength] = String(chunk * count)
            let head = HTTPRequest(
                method: .post, scheme: nil, authority: nil, path: "/create", headerFields: fields)
            let directory = try TaskDirectory.create(in: bench.spool)
            let receiver = UploadReceiver(
                dependencies: bench.dependencies, directory: directory,
                headers: try UploadHeaders(head, bench.limits), slot: try #require(bench.active.admit(limit: 1)))
            let (body, source) = RequestBody.makeStream()
            async let received: Void = receiver.receive(body)
            var most = 0
            for index in 1...count {
                await source.yield(ByteBuffer(repeating: 1, count: chunk))
                most = max(most, index * chunk - (try ResultFile(at: directory.upload)?.byteCount ?? 0))
            }
            source.finish()
            try await received
            #expect(try ResultFile(at: directory.upload)?.byteCount == chunk * count)
            #expect(most <= 1 << 20, "\(most >> 10) KiB were waiting")
        }
    }

    @Test func clientThatGoesAwayInMidUploadLeavesNothing() async throws {
        let (begun, report) = AsyncStream.makeStream(of: Void.self)
        let freeBytes: @Sendable (FilePath) throws -> UInt64 = {
            report.yield()
            return try availableBytes(at: $0)
        }
        try await GatewayBench.run(.live, freeBytes: freeBytes) { _, client async throws in
            let connection = try RawConnection(port: client.port)
            try connection.send(Self.head(1 << 20).utf8)
            try connection.send([UInt8](repeating: 1, count: 300 << 10))
            _ = await begun.first { _ in true }
        } afterwards: { bench async throws in
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func uploadThatTricklesIs408AndLeavesNothing() async throws {
        try await GatewayBench.run(.live, limits: GatewayLimits(uploadTimeout: .milliseconds(50))) { bench, client in
            let answer = try await exchange(Self.head(1000) + "a few bytes", port: client.port)
            #expect(answer.hasPrefix("HTTP/1.1 408"))
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func chunkedUploadIs411() async throws {
        try await GatewayBench.run(.live) { bench, client in
            let answer = try await exchange(
                """
                POST /create HTTP/1.1\r
                Host: localhost\r
                Content-Type: application/x-tar\r
                Transfer-Encoding: chunked\r
                Connection: close\r
                \r
                3\r
                abc\r
                0\r
                \r\n
                """, port: client.port)
            #expect(answer.hasPrefix("HTTP/1.1 411"))
            #expect(answer.lowercased().split(separator: "content-type:").count == 2)
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func moreThanDeclaredIs413AndLessIs400() async throws {
        #expect(try await status(declared: 10, sent: ["12345", "678901"]) == 413)
        #expect(try await status(declared: 10, sent: ["12345"]) == 400)
        #expect(try await status(declared: 10, sent: ["12345", "67890"]) == nil)
        #expect(try await status(declared: 10, sent: ["12345"], thenFailing: true) == 400)
    }

    @Test func reservedSpaceCountsAgainstOthersUntilItIsWritten() throws {
        let active = ActiveTasks()
        let first = try #require(active.admit(limit: 3))
        let second = try #require(active.admit(limit: 3))
        #expect(first.reserve(60, of: 110, keeping: 10))
        #expect(!second.reserve(60, of: 110, keeping: 10))
        first.written(40)
        #expect(second.reserve(60, of: 110, keeping: 10))
        first.leave()
        first.leave()
        second.leave()
        #expect(active.count == 0)
        let third = try #require(active.admit(limit: 1))
        #expect(third.reserve(100, of: 110, keeping: 10))
    }

    /// The status with which a body is refused that is streamed in these parts; nil when it is taken.
    private func status(declared: Int, sent: [String], thenFailing: Bool = false) async throws -> Int? {
        let (result, report) = AsyncStream.makeStream(of: Int?.self)
        try await GatewayBench.run { bench, _ in
            var fields = HTTPFields()
            fields[.contentType] = "application/x-tar"
            fields[.contentLength] = String(declared)
            let head = HTTPRequest(
                method: .post, scheme: nil, authority: nil, path: "/create", headerFields: fields)
            let receiver = UploadReceiver(
                dependencies: bench.dependencies, directory: try TaskDirectory.create(in: bench.spool),
                headers: try UploadHeaders(head, bench.limits), slot: try #require(bench.active.admit(limit: 1)))
            let (body, source) = RequestBody.makeStream()
            for part in sent { await source.yield(ByteBuffer(string: part)) }
            if thenFailing { source.finish(ChannelError.inputClosed) } else { source.finish() }
            do throws(Refusal) {
                try await receiver.receive(body)
                report.yield(nil)
            } catch {
                report.yield(error.status.code)
            }
        }
        return await result.first { _ in true } ?? nil
    }
}

/// The most memory the process has had resident since ``resetPeakMemory()``, in bytes (proc(5), VmHWM).
private func peakMemory() throws -> Int {
    let file = try SystemPackage.FileDescriptor.open("/proc/self/status", .readOnly)
    var buffer = [UInt8](repeating: 0, count: 8192)
    let count = try file.closeAfter { try buffer.withUnsafeMutableBytes { try file.read(into: $0) } }
    let line = String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n")
        .first { $0.hasPrefix("VmHWM:") }
    let words = try #require(line).split { $0 == " " || $0 == "\t" }
    return try #require(Int(words[1])) << 10
}

/// Starts the peak anew at what is resident now, and gives that (proc(5), clear_refs 5).
private func resetPeakMemory() throws -> Int {
    let file = try SystemPackage.FileDescriptor.open("/proc/self/clear_refs", .writeOnly)
    try file.closeAfter { _ = try file.writeAll("5".utf8) }
    return try peakMemory()
}
