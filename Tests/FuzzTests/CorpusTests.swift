import FuzzTargets
import Glibc
import NIOPosix
import SystemPackage
import TestFixtures
import Testing

/// Where the blocking client waits: the gateway works with the disk on the singleton.
private let clientThreads: NIOThreadPool = {
    let threads = NIOThreadPool(numberOfThreads: 4)
    threads.start()
    return threads
}()

/// What `make fuzz` starts from, and what it once found, is replayed by every run of the tests.
@Suite struct CorpusTests {
    @Test func archivesOfTheCorpusLeaveNothingBehind() throws {
        try ScratchDirectory.with { scratch in
            let target = try ArchiveTarget(in: scratch)
            for (name, bytes) in try corpus("archive") {
                #expect(throws: Never.self, "\(name)") { try target.take(bytes) }
            }
        }
    }

    @Test func coresOfTheCorpusAreAnswers() throws {
        for (name, bytes) in try corpus("coredump") {
            #expect(throws: Never.self, "\(name)") { try CoredumpTarget().take(bytes) }
        }
    }

    @Test func requestsOfTheCorpusGetAStatusAndLeaveNothingBehind() async throws {
        let requests = try corpus("http")
        try await ScratchDirectory.with { scratch in
            let target = try HTTPTarget(in: scratch)
            let (ports, port) = AsyncStream<Int>.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await target.serve { port.yield($0) } }
                for await port in ports {
                    let answers = try await clientThreads.runIfActive {
                        try requests.map { name, bytes in
                            let patience = Self.statuses[name] == nil ? 20 : 30_000
                            return (name, try target.take(bytes, port: port, patience: patience))
                        }
                    }
                    for (name, status) in answers where Self.statuses[name] != nil {
                        #expect(status == Self.statuses[name], "\(name)")
                    }
                    break
                }
                // Stopping waits for the connections, and with them for what they clear away.
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(target.nothingIsLeft())
        }
    }

    /// What whole requests of the corpus are answered with.
    private static let statuses = [
        "task": 200, "task-backtrace": 200, "task-events": 200, "json": 200, "settings": 200, "front": 200,
        "range": 200, "range-one": 206, "poll-first": 200, "poll-second": 200, "polls": 200,
        // What the connections of production alone say.
        "create-expect-waits": 100, "create-expect-refused": 415, "create-drained": 415, "head-too-large": 431,
        "two-lengths": 400,
        "create": 403, "create-chunked": 411, "create-type": 415, "path": 404,
    ]

    private func corpus(_ target: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = Checkout.path("fuzz/corpus/\(target)")
        let names = FolderContents.names(in: folder)
        #expect(names.count > 5)
        return try names.map { ($0, try FolderContents.read(folder.appending($0))) }
    }
}
