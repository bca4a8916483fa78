import MessageQueue
import TestFixtures
import Testing

@Suite struct PublishingTests {
    @Test func confirmedMessageIsInTheQueue() async throws {
        let test = try await TestStage.connect()
        try await test.publish("one")
        try await test.publish("two")
        #expect(try await test.broker.depth(of: test.jobs) == QueueDepth(queue: test.jobs, messages: 2, consumers: 0))
        await test.broker.close()
    }

    @Test func mandatoryMessageWithoutQueueIsUnroutable() async throws {
        let test = try await TestStage.connect()
        let failure = await #expect(throws: MessageQueueError.self) {
            try await test.broker.publish(.job([1], for: "no-such-stage"))
        }
        #expect(failure?.code == .unroutable)
        #expect(failure?.message.contains("no-such-stage") == true)
        // The connection lives on.
        try await test.publish("after")
        await test.broker.close()
    }

    @Test func eventNobodyListensToIsNoError() async throws {
        let test = try await TestStage.connect()
        let event = OutgoingMessage(
            exchange: QueueNames.events, routingKey: "other.thing", body: [1], isMandatory: false)
        try await test.broker.publish(event)
        await test.broker.close()
    }

    @Test func messageWithTooLongNameIsRefusedBeforeItIsSent() async throws {
        let test = try await TestStage.connect()
        let name = String(repeating: "k", count: 256)
        #expect(
            await code { () async throws(MessageQueueError) in
                try await test.broker.publish(.job([1], for: name))
            } == .invalidMessage)
        try await test.publish("after")
        await test.broker.close()
    }

    @Test func unknownExchangeIsAnErrorAndTheConnectionComesBack() async throws {
        let test = try await TestStage.connect()
        let message = OutgoingMessage(exchange: "no.such.exchange", routingKey: "x", body: [1])
        #expect(
            await code { () async throws(MessageQueueError) in
                try await test.broker.publish(message, within: .seconds(1))
            } != nil)
        try await test.publish("after")
        await test.broker.close()
    }

    @Test func propertiesAndLargeBodyArriveUnchanged() async throws {
        let test = try await TestStage.connect()
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let properties = MessageProperties(
            contentType: "application/octet-stream", correlationID: "c", replyTo: "r", type: "T",
            headers: ["first": "1", "second": "zwei"])
        try await test.broker.publish(.job(body, for: test.stage, properties: properties))
        try await test.publish("")
        var deliveries = try await test.broker.consume(test.jobs, prefetch: 2).makeAsyncIterator()
        let large = try #require(await deliveries.next())
        #expect(large.body == body)
        #expect(large.properties == properties)
        #expect(large.routingKey == test.stage)
        #expect(large.exchange == QueueNames.jobs)
        let empty = try #require(await deliveries.next())
        #expect(empty.body.isEmpty)
        try await large.ack()
        try await empty.ack()
        await test.broker.close()
    }

    @Test func concurrentPublishersLoseNothing() async throws {
        let test = try await TestStage.connect()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for publisher in 0..<8 {
                group.addTask { for number in 0..<25 { try await test.publish("\(publisher)-\(number)") } }
            }
            try await group.waitForAll()
        }
        var deliveries = try await test.broker.consume(test.jobs, prefetch: 50).makeAsyncIterator()
        var seen: Set<String> = []
        while seen.count < 200, let delivery = await deliveries.next() {
            #expect(seen.insert(delivery.text).inserted)
            try await delivery.ack()
        }
        #expect(try await test.broker.depth(of: test.jobs).messages == 0)
        await test.broker.close()
    }

    @Test func depthOfUnknownQueueIsNotFound() async throws {
        let test = try await TestStage.connect()
        #expect(
            await code { () async throws(MessageQueueError) in
                _ = try await test.broker.depth(of: "no.such.queue")
            } == .notFound)
        #expect(try await test.broker.depth(of: test.jobs).messages == 0)
        await test.broker.close()
    }

    @Test func closedBrokerRefusesAndCloseTwiceIsHarmless() async throws {
        let test = try await TestStage.connect()
        await test.broker.close()
        await test.broker.close()
        #expect(
            await code { () async throws(MessageQueueError) in
                try await test.broker.publish(.job([1], for: test.stage))
            } == .closed)
    }
}
