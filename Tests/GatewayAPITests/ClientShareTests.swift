import CrashModel
import HTTPTypes
import HummingbirdTesting
import JobMessages
import NIOPosix
import TaskStorage
import Testing

@testable import GatewayAPI

/// No few clients may hold all that is there for everybody.
@Suite struct ClientShareTests {
    private func slot(of tasks: ActiveTasks, reserving bytes: UInt64 = 0) throws -> UploadSlot {
        let slot = try #require(tasks.admit(limit: 100))
        #expect(slot.reserve(bytes, of: 1000, keeping: 0))
        return slot
    }

    @Test(arguments: [(25, 100, 25), (25, 7, 1), (25, 1, 1), (100, 8, 8), (1, 50, 1)])
    func shareIsAPercentageAndAtLeastOnePlace(percent: Int, limit: Int, places: Int) {
        #expect(ClientShare(percent: percent, ofPlaces: limit, ofBytes: 400).places == places)
    }

    @Test func placesOfAClientAreItsUploadsAndItsUnfinishedTasks() throws {
        let tasks = ActiveTasks()
        let share = ClientShare(percent: 50, ofPlaces: 4, ofBytes: 1000)
        let (first, second, third) = (try slot(of: tasks), try slot(of: tasks), try slot(of: tasks))
        #expect(first.claim(for: 1, within: share) == nil)
        #expect(second.claim(for: 1, within: share) == nil)
        #expect(third.claim(for: 1, within: share) == .places)
        #expect(third.claim(for: 2, within: share) == nil)
        let task = TaskID.random()
        first.become(task)
        second.leave()
        #expect(try slot(of: tasks).claim(for: 1, within: share) == nil)
        #expect(try slot(of: tasks).claim(for: 1, within: share) == .places)
        tasks.finished(task)
        #expect(try slot(of: tasks).claim(for: 1, within: share) == nil)
    }

    @Test func spaceIsHeldUntilItIsWrittenAndOneUploadMayBeAsLargeAsAny() throws {
        let tasks = ActiveTasks()
        let share = ClientShare(percent: 25, ofPlaces: 100, ofBytes: 1000)
        let large = try slot(of: tasks, reserving: 600)
        #expect(large.claim(for: 1, within: share) == nil)
        let next = try slot(of: tasks, reserving: 100)
        #expect(next.claim(for: 1, within: share) == .bytes)
        #expect(next.claim(for: 2, within: share) == nil)
        large.written(500)
        let last = try slot(of: tasks, reserving: 100)
        #expect(last.claim(for: 1, within: share) == nil)
        for slot in [large, next, last] { slot.leave() }
        #expect(tasks.clientCount == 0)
        // Nothing of what was given back is missing or counted twice.
        #expect(try slot(of: tasks, reserving: 1000).claim(for: 1, within: share) == nil)
    }

    @Test func addressWithItsShareGets429AndTheOthersHaveTheirPlaces() async throws {
        let loopback = try #require(AddressRange.list("127.0.0.0/8, ::1"))
        let exempt = try #require(AddressRange.list("198.51.100.9"))
        let clients = ClientLimiter(ClientLimits(sharePercent: 25, exempt: exempt))
        try await GatewayBench.run(
            .live, limits: GatewayLimits(maxParallelTasks: 8), access: AccessRule(trustedProxies: loopback),
            clients: clients
        ) { bench, client in
            @Sendable func upload(from address: String) async throws -> TestResponse {
                try await client.upload(more: [.forwardedFor: address])
            }
            #expect(try await upload(from: "198.51.100.7").status.code == 201)
            #expect(try await upload(from: "198.51.100.7").status.code == 201)
            let refused = try await upload(from: "198.51.100.7")
            #expect(refused.status.code == 429 && refused.headers[.retryAfter] == "30")
            #expect(refused.text.hasPrefix("2 uploads and tasks from your address are in work"))
            #expect(bench.active.count == 2)
            #expect(try await upload(from: "198.51.100.8").status.code == 201)
            for _ in 0..<3 { #expect(try await upload(from: "198.51.100.9").status.code == 201) }
            for task in try await bench.store.pendingTasks() {
                try await recordEvent(
                    TaskEvent(task: task, stage: .retrace, kind: .succeeded, microseconds: 5, message: "done"),
                    store: bench.store, active: bench.active, logger: bench.dependencies.logger)
            }
            #expect(bench.active.count == 0 && bench.active.clientCount == 0)
            #expect(try await upload(from: "198.51.100.7").status.code == 201)
        }
    }

    @Test func uploadsOfAnAddressMayNotTakeAllTheSpaceThereIs() async throws {
        let clients = ClientLimiter(ClientLimits(sharePercent: 25))
        try await GatewayBench.run(
            .live, limits: GatewayLimits(maxPackedMebibytes: 1024, minFreeMebibytes: 0), clients: clients,
            freeBytes: { _ in 1 << 30 }
        ) { bench, client in
            let port = client.port
            let head = "POST /create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-tar\r\nContent-Length: "
            let answer = try await clientThreads.runIfActive {
                let first = try RawConnection(port: port)
                try first.send("\(head)\(300 << 20)\r\nExpect: 100-continue\r\n\r\n".utf8)
                #expect(first.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 100 "))
                let second = try RawConnection(port: port)
                try second.send("\(head)7\r\nExpect: 100-continue\r\n\r\n".utf8)
                return second.receiveAll()
            }
            #expect(answer.hasPrefix("HTTP/1.1 429 ") && answer.contains("Retry-After: 30\r\n"), "\(answer)")
            #expect(answer.contains("as much disk space as it may"))
        } afterwards: { bench async throws in
            #expect(try await bench.nothingIsLeft())
            #expect(bench.active.clientCount == 0)
        }
    }
}
