import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import SystemPackage
import TestFixtures
import Testing

@testable import HTTPConnections

/// With certificates that openssl(1) makes, over real sockets.
@Suite struct ServerCertificateTests {
    @Test func newCertificateIsTakenIntoServiceAndABrokenOneIsNot() async throws {
        try await ScratchDirectory.with { directory in
            let (certificate, key) = (directory.appending("server.pem"), directory.appending("server.key"))
            try await makeCertificate("first.example", certificate, key)
            let served = try ServerCertificate(certificate: certificate, key: key)
            #expect(try await nameShown(by: served) == "first.example")
            #expect(try !served.reload())

            try await makeCertificate("second.example", certificate, key)
            #expect(try served.reload())
            #expect(try await nameShown(by: served) == "second.example")

            try FolderContents.write("-----BEGIN CERTIFICATE-----\nnonsense\n".utf8, to: certificate)
            #expect(throws: CertificateFault.self) { try served.reload() }
            // The same broken files are reported once.
            #expect(try !served.reload())
            #expect(try await nameShown(by: served) == "second.example")

            try await makeCertificate("third.example", certificate, key)
            #expect(try served.reload())
            #expect(try await nameShown(by: served) == "third.example")
        }
    }

    @Test func keyOfAnotherCertificateIsRefused() async throws {
        try await ScratchDirectory.with { directory in
            let (certificate, key) = (directory.appending("server.pem"), directory.appending("server.key"))
            let other = directory.appending("other.key")
            try await makeCertificate("first.example", certificate, key)
            try await makeCertificate("other.example", directory.appending("other.pem"), other)
            #expect(throws: CertificateFault.self) { try ServerCertificate(certificate: certificate, key: other) }
            #expect(throws: CertificateFault.self) {
                try ServerCertificate(certificate: directory.appending("absent"), key: key)
            }
        }
    }

    @Test func nothingOlderThanTLS12IsSpoken() async throws {
        try await ScratchDirectory.with { directory in
            let (certificate, key) = (directory.appending("server.pem"), directory.appending("server.key"))
            try await makeCertificate("first.example", certificate, key)
            let served = try ServerCertificate(certificate: certificate, key: key)
            #expect(try await nameShown(by: served, newest: .tlsv12) == "first.example")
            await #expect(throws: (any Error).self) { try await nameShown(by: served, newest: .tlsv11) }
        }
    }

    /// The common name of the certificate that a new connection is shown.
    private func nameShown(by certificate: ServerCertificate, newest: TLSVersion? = nil) async throws -> String? {
        let group = NIOSingletons.posixEventLoopGroup
        let server = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificate.context))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.minimumTLSVersion = .tlsv1
        configuration.maximumTLSVersion = newest
        let context = try NIOSSLContext(configuration: configuration)
        let shown = group.next().makePromise(of: String?.self)
        let client = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        try NIOSSLClientHandler(context: context, serverHostname: nil), Shown(shown),
                    ])
                }
            }
            .connectTimeout(.seconds(30)).connect(to: try #require(server.localAddress)).get()
        let name = await shown.futureResult.asResult()
        try? await client.close()
        try await server.close()
        return try name.get()
    }
}

extension EventLoopFuture where Value: Sendable {
    fileprivate func asResult() async -> Result<Value, any Error> {
        do { return .success(try await get()) } catch { return .failure(error) }
    }
}

/// Waits for the end of the handshake.
private final class Shown: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let name: EventLoopPromise<String?>

    init(_ name: EventLoopPromise<String?>) { self.name = name }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted? = event as? TLSUserEvent else { return }
        let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
        let common = (try? handler?.peerCertificate?.toDERBytes()).map(Self.name(in:))
        name.succeed(common)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { name.fail(error) }

    func channelInactive(context: ChannelHandlerContext) { name.fail(ChannelError.eof) }

    /// Which of the names that the tests use stands in a certificate.
    private static func name(in bytes: [UInt8]) -> String {
        let text = String(decoding: bytes.map { (0x20..<0x7f).contains($0) ? $0 : 0x0a }, as: UTF8.self)
        return ["first", "second", "third", "other"].map { $0 + ".example" }.first { text.contains($0) } ?? ""
    }
}
