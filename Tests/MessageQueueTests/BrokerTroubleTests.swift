import Glibc
import MessageQueue
import TestFixtures
import Testing

/// A node of its own, because the trouble is the whole node's.
@Suite(.timeLimit(.minutes(5))) struct BrokerTroubleTests {
    @Test func frozenBrokerIsTakenForDeadAndAlarmsAreTold() async throws {
        let node = try await PrivateBroker.start()
        do {
            var address = try BrokerAddress(url: node.url)
            address.heartbeat = .seconds(1)
            let broker = try MessageBroker(
                address, topology: .retrace(stages: ["ingest"]), name: "test", logger: quiet)
            try await broker.connect()

            // Nothing is said any more, and no socket is closed: only the heartbeat can tell.
            try await node.signal(SIGSTOP)
            #expect(await codeOfPublish(5, of: broker, after: [.timedOut]) == .connectionLost)
            try await node.signal(SIGCONT)
            try await broker.publish(.job([2], for: "ingest"), within: .seconds(60))

            try await node.control("set_vm_memory_high_watermark", "0.00000001")
            // The broker speaks up when somebody publishes.
            #expect(await codeOfPublish(3, of: broker, after: [.timedOut, nil]) == .blocked)
            // `blocked` and not `timedOut`: the alarm is told without waiting for the limit.
            #expect(
                await code { () async throws(MessageQueueError) in
                    try await broker.publish(.job([4], for: "ingest"), within: .seconds(30))
                } == .blocked)
            try await node.control("set_vm_memory_high_watermark", "0.4")
            while await code({ () async throws(MessageQueueError) in
                try await broker.publish(.job([5], for: "ingest"), within: .seconds(30))
            }) == .blocked { await Task.yield() }
            await broker.close()
        } catch {
            try await node.remove()
            throw error
        }
        try await node.remove()
    }

    /// What a publish of `seconds` ends with, other than `passing`: a machine under load may need several for the
    /// broker's silence, or its alarm, to be noticed. It is the suite's limit of time that would tell of an endless one.
    private func codeOfPublish(
        _ seconds: Int, of broker: MessageBroker, after passing: Set<MessageQueueError.Code?>
    ) async -> MessageQueueError.Code? {
        while true {
            let found = await code { () async throws(MessageQueueError) in
                try await broker.publish(.job([1], for: "ingest"), within: .seconds(seconds))
            }
            if !passing.contains(found) { return found }
        }
    }
}
