import MessageQueue
import TestFixtures
import Testing

@Suite struct RequestTests {
    @Test func requestGetsItsRepliesInOrder() async throws {
        let test = try await TestStage.connect()
        let worker = try await test.second()
        let deliveries = try await worker.consume(test.jobs, prefetch: 2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var iterator = deliveries.makeAsyncIterator()
                for _ in 0..<2 {
                    let request = try #require(await iterator.next())
                    try await worker.reply(to: request, Array("started \(request.text)".utf8))
                    try await worker.reply(to: request, Array("done \(request.text)".utf8))
                    try await request.ack()
                }
            }
            for name in ["a", "b"] {
                group.addTask {
                    let replies = try await test.broker.request(.job(Array(name.utf8), for: test.stage))
                    #expect(try await replies.next(within: .seconds(120)).text == "started \(name)")
                    #expect(try await replies.next(within: .seconds(120)).text == "done \(name)")
                    replies.finish()
                }
            }
            try await group.waitForAll()
        }
        await worker.close()
        await test.broker.close()
    }

    @Test func silenceIsATimeoutAndTheJobStays() async throws {
        let test = try await TestStage.connect()
        let replies = try await test.broker.request(.job([1], for: test.stage))
        #expect(
            await code { () async throws(MessageQueueError) in
                _ = try await replies.next(within: .milliseconds(50))
            } == .timedOut)
        replies.finish()
        #expect(try await test.broker.depth(of: test.jobs).messages == 1)
        await test.broker.close()
    }

    @Test func unroutableRequestFailsAtOnce() async throws {
        let test = try await TestStage.connect()
        #expect(
            await code { () async throws(MessageQueueError) in
                _ = try await test.broker.request(.job([1], for: "no-such-stage"))
            } == .unroutable)
        await test.broker.close()
    }

    @Test func replyToARequesterThatHasGoneIsNoError() async throws {
        let test = try await TestStage.connect()
        let requester = try await test.second()
        _ = try await requester.request(.job([1], for: test.stage))
        await requester.close()
        var jobs = try await test.broker.consume(test.jobs, prefetch: 1).makeAsyncIterator()
        let request = try #require(await jobs.next())
        try await test.broker.reply(to: request, [2])
        try await request.ack()
        await test.broker.close()
    }

    @Test func closingEndsAWaitForReplies() async throws {
        let test = try await TestStage.connect()
        let replies = try await test.broker.request(.job([1], for: test.stage))
        async let answer = code { () async throws(MessageQueueError) in _ = try await replies.next(within: .seconds(60))
        }
        await test.broker.close()
        #expect(await answer == .closed)
    }
}
