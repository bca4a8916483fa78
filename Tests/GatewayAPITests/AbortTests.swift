import CrashModel
import HTTPConnections
import HTTPTypes
import HummingbirdTesting
import JobMessages
import NIOPosix
import Synchronization
import SystemPackage
import TaskStorage
import Testing

@testable import GatewayAPI

@Suite struct AbortTests {
    private static let head =
        "POST /create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-tar\r\nX-Task-Type: 0\r\n"
        + "Content-Length: 7\r\n\r\n"
    private static let whole = head + "archive"

    /// Every length of a cut upload but the whole one; once with a reset, once with an orderly end.
    @Test(arguments: [false, true]) func uploadCutAtAnyByteLeavesNothing(resets: Bool) async throws {
        let clients = ClientLimiter(ClientLimits(parallelUploads: 1))
        try await GatewayBench.run(.live, clients: clients) { _, client in
            let port = client.port
            try await clientThreads.runIfActive {
                for count in 0..<Self.whole.utf8.count {
                    let connection = try RawConnection(port: port)
                    try connection.send(Self.whole.utf8.prefix(count))
                    if resets {
                        connection.resetWhenClosed()
                    } else {
                        // The answer, if any, says that the server has seen the end.
                        connection.finishSending()
                        let answer = connection.receiveAll()
                        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400 "), "\(count): \(answer)")
                    }
                }
            }
        } afterwards: { bench async throws in
            #expect(try await bench.nothingIsLeft())
            // The address has its one place back.
            #expect(bench.clients.uploads == 0 && bench.active.clientCount == 0)
        }
    }

    /// Whoever goes away while ingest looks at a whole upload has lost the id; the task runs to its end.
    @Test(arguments: [false, true]) func clientThatGoesAwayDuringTheVerdictLeavesAWholeTaskOrNothing(
        isRefused: Bool
    ) async throws {
        let (asked, report) = AsyncStream.makeStream(of: Void.self)
        let verdicts = AsyncStream.makeStream(of: IngestReply.self)
        let ingest: GatewayBench.Ingest = { _, _ in
            report.yield()
            return AsyncThrowingStream { stream in
                stream.yield(.pickedUp)
                let forward = Task {
                    for await reply in verdicts.stream { stream.yield(reply) }
                    stream.finish()
                }
                stream.onTermination = { _ in forward.cancel() }
            }
        }
        try await GatewayBench.run(.live, ingest: ingest) { _, client in
            do {
                let connection = try RawConnection(port: client.port)
                try connection.send(Self.whole.utf8)
                _ = await asked.first { _ in true }
                connection.resetWhenClosed()
            }
            let error = StageError(.ingest, StageError.Code("not-an-archive"), "No.")
            verdicts.continuation.yield(isRefused ? .refused(error) : .accepted)
            verdicts.continuation.finish()
        } afterwards: { bench in
            if isRefused {
                #expect(try await bench.nothingIsLeft())
            } else {
                let tasks = try TaskDirectory.tasks(in: bench.spool)
                #expect(tasks.count == 1 && bench.active.count == 1)
                #expect(try await bench.store.pendingTasks() == tasks)
                #expect(try await bench.store.unansweredTasks().isEmpty)
            }
        }
    }

    @Test func sameUploadTwiceAtOnceIsTwoTasks() async throws {
        try await GatewayBench.run(.live) { bench, client in
            let port = client.port
            let answers = try await clientThreads.runIfActive {
                let one = try RawConnection(port: port)
                let other = try RawConnection(port: port)
                for byte in Self.whole.utf8 {
                    try one.send([byte])
                    try other.send([byte])
                }
                return [one.receive(until: "\r\n\r\n"), other.receive(until: "\r\n\r\n")]
            }
            #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 201 ") })
            #expect(bench.active.count == 2)
            #expect(try TaskDirectory.tasks(in: bench.spool).count == 2)
        }
    }

    @Test func pipelinedRequestIsAnsweredAfterTheUpload() async throws {
        try await GatewayBench.run(.live) { bench, client in
            let next = "GET /settings HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            let answer = try await exchange(Self.whole + next, port: client.port)
            let parts = answer.split(separator: "HTTP/1.1 ")
            #expect(parts.count == 2 && parts[0].hasPrefix("201 ") && parts[1].contains("max_packed_size"))
            #expect(bench.active.count == 1)
        }
    }

    @Test(arguments: [
        "Content-Length: 7\r\nContent-Length: 7", "Content-Length: 7\r\nContent-Length: 8",
        "Content-Length: 7\r\nTransfer-Encoding: chunked", "Content-Length: 7\r\nTransfer-Encoding: gzip",
        "Content-Length: 7, 7", "Content-Length: 7\r\nContent-Length : 8",
    ])
    func requestWithTwoLengthsIs400AndTheConnectionEnds(lengths: String) async throws {
        let head = "POST /create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-tar\r\n\(lengths)\r\n\r\n"
        try await GatewayBench.run(.live) { bench, client in
            let smuggled = "GET /settings HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let answer = try await exchange(head + "archive" + smuggled, port: client.port)
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("Connection: close"), "\(answer)")
            #expect(!answer.contains("max_packed_size"))
            #expect(try await bench.nothingIsLeft())
        }
    }

    @Test func bodyLongerThanItsLengthIsNotAnotherRequest() async throws {
        try await GatewayBench.run(.live) { bench, client in
            let answer = try await exchange(Self.whole + " and more\r\n\r\n", port: client.port)
            let statuses = answer.split(separator: "HTTP/1.1 ").compactMap { $0.split(separator: " ").first }
            #expect(statuses == ["201"] || statuses == ["201", "400"])
            #expect(answer.contains("Connection: close"))
            #expect(bench.active.count == 1)
        }
    }
}
