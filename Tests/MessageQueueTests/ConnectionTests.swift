import MessageQueue
import TestFixtures
import Testing

@Suite struct ConnectionTests {
    private func connect(
        _ change: (inout BrokerAddress) -> Void, topology: Topology = Topology(), within limit: Duration = .seconds(20)
    ) async throws -> MessageQueueError.Code? {
        var address = try BrokerAddress(url: await PrivateBroker.sharedURL())
        change(&address)
        let broker = try MessageBroker(address, topology: topology, name: "test", logger: quiet)
        let result = await code { () async throws(MessageQueueError) in try await broker.connect(within: limit) }
        await broker.close()
        return result
    }

    @Test func wrongPasswordIsRefusedAtOnce() async throws {
        #expect(try await connect { $0.password = "wrong" } == .accessRefused)
    }

    @Test func unknownVirtualHostIsRefused() async throws {
        #expect(try await connect { $0.virtualHost = "nowhere" } == .accessRefused)
    }

    @Test func portWithoutBrokerIsUnreachable() async throws {
        #expect(try await connect({ $0.port = 1 }, within: .milliseconds(300)) == .unreachable)
    }

    @Test func plainBrokerBehindTLSAddressIsATLSError() async throws {
        #expect(try await connect({ $0.tls = BrokerTLS() }, within: .milliseconds(300)) == .tls)
    }

    @Test func missingAuthorityFileIsATLSErrorThatNamesIt() async throws {
        var address = BrokerAddress()
        address.tls = BrokerTLS(certificateAuthority: "/nonexistent/ca.pem")
        let broker = try MessageBroker(address, topology: Topology(), name: "test", logger: quiet)
        let failure = await #expect(throws: MessageQueueError.self) { try await broker.connect() }
        #expect(failure?.code == .tls)
        #expect(failure?.message.contains("/nonexistent/ca.pem") == true)
        await broker.close()
    }

    @Test func sameTopologyTwiceIsNoErrorAndAnotherOneIs() async throws {
        let test = try await TestStage.connect()
        try await test.second().close()
        let other = Topology.retrace(stages: [test.stage], deliveryLimit: 7)
        #expect(try await connect({ _ in }, topology: other) == .topologyMismatch)
        await test.broker.close()
    }

    @Test func gracefulStopWaitsForConfirmsAndFinishes() async throws {
        let test = try await TestStage.connect()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let result = await code { () async throws(MessageQueueError) in
                        try await test.broker.publish(.job([UInt8(number)], for: test.stage))
                    }
                    // Confirmed, or not accepted any more: nothing in between.
                    #expect(result == nil || result == .closed)
                }
            }
            await test.broker.close()
            try await group.waitForAll()
        }
    }

    @Test func restartedBrokerIsComeBackToAndNothingIsLost() async throws {
        let node = try await PrivateBroker.start()
        do {
            let test = try await TestStage.connect(to: node.url)
            try await test.publish("before")
            let deliveries = try await test.broker.consume(test.jobs, prefetch: 1)
            var iterator = deliveries.makeAsyncIterator()
            let held = try #require(await iterator.next())
            let replies = try await test.broker.request(.job(Array("request".utf8), for: test.stage))

            try await node.stop()
            // Published while there is no broker: it waits for one.
            async let published: Void = test.broker.publish(
                .job(Array("during".utf8), for: test.stage), within: .seconds(60))
            #expect(
                await code { () async throws(MessageQueueError) in
                    try await test.broker.publish(
                        .job([9], for: test.stage), within: .milliseconds(100))
                } == .connectionLost)
            #expect(await code { () async throws(MessageQueueError) in try await held.ack() } == .connectionLost)
            #expect(
                await code { () async throws(MessageQueueError) in
                    _ = try await replies.next(within: .seconds(120))
                } == .connectionLost)
            try await node.startAgain()
            try await published

            // The same consumer goes on: the held job again, then the others.
            var seen: [String] = []
            while seen.count < 3, let delivery = await iterator.next() {
                seen.append(delivery.text)
                try await delivery.ack()
            }
            #expect(seen.sorted() == ["before", "during", "request"])
            await test.broker.close()
        } catch {
            try await node.remove()
            throw error
        }
        try await node.remove()
    }
}
