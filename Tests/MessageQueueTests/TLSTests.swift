import MessageQueue
import Subprocess
import SystemPackage
import TestFixtures
import Testing

@Suite struct TLSTests {
    /// An authority (`ca.pem`) and a certificate that it signed, `NAME.pem` with `NAME.key`.
    private func makeCertificate(_ name: String, for host: String, in directory: FilePath) async throws {
        let file = { (name: String) in directory.appending(name).string }
        let usual = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-x509"]
        if name == "ca" {
            return try await openssl(
                ["req"] + usual + ["-subj", "/CN=Test authority", "-keyout", file("ca.key"), "-out", file("ca.pem")])
        }
        try await openssl(
            ["req"] + usual + [
                "-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
                "-keyout", file("\(name).key"), "-out", file("\(name).pem"),
            ])
    }

    private func openssl(_ arguments: [String]) async throws {
        let result = try await run(
            .name("openssl"), arguments: Arguments(arguments), output: .discarded, error: .string(limit: 1 << 16))
        try #require(result.terminationStatus.isSuccess, "openssl: \(result.standardError)")
    }

    private func connect(_ address: BrokerAddress) async throws -> MessageQueueError.Code? {
        let broker = try MessageBroker(address, topology: Topology(), name: "test", logger: quiet)
        let result = await code { () async throws(MessageQueueError) in try await broker.connect(within: .seconds(20)) }
        await broker.close()
        return result
    }

    @Test func brokerIsVerifiedAndWeShowOurCertificate() async throws {
        let port = Int.random(in: 32100...32700)
        let node = try await PrivateBroker.start { directory in
            try await makeCertificate("ca", for: "", in: directory)
            try await makeCertificate("broker", for: "localhost", in: directory)
            try await makeCertificate("client", for: "retrace", in: directory)
            return """
                listeners.ssl.default = 127.0.0.1:\(port)
                ssl_options.cacertfile = \(directory)/ca.pem
                ssl_options.certfile = \(directory)/broker.pem
                ssl_options.keyfile = \(directory)/broker.key
                ssl_options.verify = verify_peer
                ssl_options.fail_if_no_peer_cert = true

                """
        }
        do {
            let file = { (name: String) in node.directory.appending(name).string }
            var address = try BrokerAddress(url: "amqps://guest:guest@localhost:\(port)/")
            address.tls = BrokerTLS(
                certificateAuthority: file("ca.pem"), certificate: file("client.pem"), key: file("client.key"))
            let broker = try MessageBroker(
                address, topology: .retrace(stages: ["ingest"]), name: "test", logger: quiet)
            try await broker.connect()
            let body = [UInt8](repeating: 7, count: 1_000_000)
            try await broker.publish(.job(body, for: "ingest"))
            var jobs = try await broker.consume(QueueNames.jobs(for: "ingest"), prefetch: 1).makeAsyncIterator()
            let delivery = try #require(await jobs.next())
            #expect(delivery.body == body)
            try await delivery.ack()
            await broker.close()

            address.tls?.certificateAuthority = file("client.pem")
            #expect(try await connect(address) == .tls, "a broker that our authority does not vouch for")
            address.tls?.certificateAuthority = file("ca.pem")
            address.host = "127.0.0.1"
            #expect(try await connect(address) == .tls, "a name that the certificate does not hold")
        } catch {
            try await node.remove()
            throw error
        }
        try await node.remove()
    }
}
