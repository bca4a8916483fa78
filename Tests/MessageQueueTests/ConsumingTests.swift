import MessageQueue
import TestFixtures
import Testing

@Suite struct ConsumingTests {
    @Test func unacknowledgedDeliveryComesAgainAfterClose() async throws {
        let test = try await TestStage.connect()
        try await test.publish("job")
        let other = try await test.second()
        var first = try await other.consume(test.jobs, prefetch: 1).makeAsyncIterator()
        let lost = try #require(await first.next())
        #expect(!lost.isRedelivered)
        await other.close()
        #expect(lost.isVoid)
        #expect(await code { () async throws(MessageQueueError) in try await lost.ack() } != nil)

        var again = try await test.broker.consume(test.jobs, prefetch: 1).makeAsyncIterator()
        let delivery = try #require(await again.next())
        #expect(delivery.text == "job")
        #expect(delivery.isRedelivered)
        try await delivery.ack()
        #expect(try await test.broker.depth(of: test.jobs).messages == 0)
        await test.broker.close()
    }

    @Test func prefetchBoundsWhatAConsumerHolds() async throws {
        let test = try await TestStage.connect()
        for number in 0..<5 { try await test.publish("\(number)") }
        let deliveries = try await test.broker.consume(test.jobs, prefetch: 2)
        var iterator = deliveries.makeAsyncIterator()
        let first = try #require(await iterator.next())
        let second = try #require(await iterator.next())
        #expect(try await test.broker.depth(of: test.jobs) == .init(queue: test.jobs, messages: 3, consumers: 1))
        try await first.ack()
        let third = try #require(await iterator.next())
        #expect([first.text, second.text, third.text] == ["0", "1", "2"])
        await test.broker.close()
    }

    @Test func cancelledConsumerGivesBackWhatNobodyTook() async throws {
        let test = try await TestStage.connect()
        for number in 0..<4 { try await test.publish("\(number)") }
        let deliveries = try await test.broker.consume(test.jobs, prefetch: 3)
        var iterator = deliveries.makeAsyncIterator()
        let held = try #require(await iterator.next())
        await deliveries.cancel()
        #expect(await iterator.next() == nil)
        try await held.ack()
        var again = try await test.broker.consume(test.jobs, prefetch: 4).makeAsyncIterator()
        var rest: Set<String> = []
        while rest.count < 3, let delivery = await again.next() {
            rest.insert(delivery.text)
            try await delivery.ack()
        }
        #expect(rest == ["1", "2", "3"])
        await test.broker.close()
    }

    @Test func cancelledTaskStopsWaiting() async throws {
        let test = try await TestStage.connect()
        let deliveries = try await test.broker.consume(test.jobs, prefetch: 1)
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                var iterator = deliveries.makeAsyncIterator()
                return await iterator.next() == nil
            }
            group.cancelAll()
            for await ended in group { #expect(ended) }
        }
        await test.broker.close()
    }

    @Test func rejectedDeliveryIsADeadLetter() async throws {
        let test = try await TestStage.connect()
        try await test.publish("bad")
        var jobs = try await test.broker.consume(test.jobs, prefetch: 1).makeAsyncIterator()
        try await #require(await jobs.next()).reject(requeue: false)
        var dead = try await test.broker.consume(test.dead, prefetch: 1).makeAsyncIterator()
        let letter = try #require(await dead.next())
        #expect(letter.text == "bad")
        #expect(letter.properties.headers["x-first-death-reason"] == "rejected")
        try await letter.ack()
        await test.broker.close()
    }

    @Test func deadLetterCarriesTheReason() async throws {
        let test = try await TestStage.connect()
        try await test.publish("{")
        var jobs = try await test.broker.consume(test.jobs, prefetch: 1).makeAsyncIterator()
        try await test.broker.deadLetter(#require(await jobs.next()), reason: "not JSON")
        var dead = try await test.broker.consume(test.dead, prefetch: 1).makeAsyncIterator()
        let letter = try #require(await dead.next())
        #expect(letter.text == "{")
        #expect(letter.properties.headers["x-retrace-reason"] == "not JSON")
        try await letter.ack()
        #expect(try await test.broker.depth(of: test.jobs).messages == 0)
        await test.broker.close()
    }

    @Test func deliveryLimitEndsInADeadLetter() async throws {
        let test = try await TestStage.connect(deliveryLimit: 2)
        try await test.publish("poison")
        var jobs = try await test.broker.consume(test.jobs, prefetch: 1).makeAsyncIterator()
        for _ in 0..<3 { try await #require(await jobs.next()).reject(requeue: true) }
        var dead = try await test.broker.consume(test.dead, prefetch: 1).makeAsyncIterator()
        let letter = try #require(await dead.next())
        #expect(letter.text == "poison")
        #expect(letter.properties.headers["x-first-death-reason"] == "delivery_limit")
        try await letter.ack()
        await test.broker.close()
    }

    @Test func retryComesBackAfterItsDelay() async throws {
        let test = try await TestStage.connect()
        let start = ContinuousClock.now
        try await test.broker.publish(.retry(Array("later".utf8), for: test.stage, after: .milliseconds(300)))
        var jobs = try await test.broker.consume(test.jobs, prefetch: 1).makeAsyncIterator()
        let delivery = try #require(await jobs.next())
        #expect(delivery.text == "later")
        #expect(ContinuousClock.now - start >= .milliseconds(290))
        try await delivery.ack()
        await test.broker.close()
    }

    @Test func consumingFromUnknownQueueIsNotFound() async throws {
        let test = try await TestStage.connect()
        #expect(
            await code { () async throws(MessageQueueError) in
                _ = try await test.broker.consume("no.such.queue", prefetch: 1)
            } == .notFound)
        #expect(try await test.broker.depth(of: test.jobs).messages == 0)
        await test.broker.close()
    }
}
