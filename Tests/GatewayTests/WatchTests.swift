import GatewayAPI
import HTTPConnections
import Logging
import MessageQueue
import ServiceLifecycle
import SystemPackage
import TestFixtures
import Testing

@testable import gateway

/// The services that look at something again and again beside the HTTP server.
@Suite struct WatchTests {
    /// What is logged tells the test how far the watch is; the group only ends when the watch has.
    @Test func newCertificateIsTakenABrokenOneReportedAndTheWatchEndsWithTheService() async throws {
        try await ScratchDirectory.with { folder in
            let (certificate, key) = (folder.appending("server.pem"), folder.appending("server.key"))
            try await makeCertificate("first.example", certificate, key)
            let served = try ServerCertificate(certificate: certificate, key: key)
            let (said, say) = AsyncStream.makeStream(of: String.self)
            let logger = Logger(label: "test", factory: { _ in Listening(say) })
            let group = ServiceGroup(
                services: [CertificateWatch(certificate: served, interval: .milliseconds(2), logger: logger)],
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            async let whole: Void = group.run()
            var words = said.makeAsyncIterator()
            try await makeCertificate("second.example", certificate, key)
            var heard = await words.next() ?? ""
            // Between the writing of the two files they do not belong together.
            while heard.contains("cannot be used") { heard = await words.next() ?? "" }
            #expect(heard.contains("another certificate is in service"))
            try FolderContents.write("nonsense".utf8, to: certificate)
            #expect(await words.next()?.contains("the certificate in service stays") == true)
            await group.triggerGracefulShutdown()
            try await whole
        }
    }

    @Test func jobsThatWaitAreCountedAndNoneWhereTheBrokerIsAway() async throws {
        let unique = String(UInt64.random(in: 0...UInt64.max))
        let stages = ["watch-a\(unique)", "watch-b\(unique)"]
        let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let broker = try MessageBroker(
            BrokerAddress(url: await PrivateBroker.sharedURL()), topology: .retrace(stages: stages), name: "test",
            logger: quiet)
        try await broker.connect()
        let backlog = QueueBacklog(limit: 3)
        let watch = QueueWatch(
            broker: broker, backlog: backlog, logger: quiet, queues: stages.map { QueueNames.jobs(for: $0) })
        await watch.count()
        #expect(backlog.jobs == 0)
        for stage in [stages[0], stages[1], stages[1]] { try await broker.publish(.job([1], for: stage)) }
        await watch.count()
        #expect(backlog.jobs == 3)
        let all = QueueWatch(broker: broker, backlog: backlog, logger: quiet).queues
        #expect(Set(all) == Set(["ingest", "resolve", "fetch", "build", "retrace"].map { QueueNames.jobs(for: $0) }))
        for stage in stages {
            let jobs = try await broker.consume(QueueNames.jobs(for: stage), prefetch: 10)
            for await job in jobs {
                try await job.ack()
                await watch.count()
                if try await broker.depth(of: QueueNames.jobs(for: stage)).messages == 0 { break }
            }
            await jobs.cancel()
        }
        backlog.jobs = 7
        await broker.close()
        await watch.count()
        #expect(backlog.jobs == 0)
    }
}

/// Gives the test every message.
private struct Listening: LogHandler {
    private let say: AsyncStream<String>.Continuation
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(_ say: AsyncStream<String>.Continuation) { self.say = say }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { say.yield("\(event.message)") }
}
