import NIOCore
import NIOPosix
import NIOSSL
import Testing

/// A TLS connection to the loopback, on which a test writes its requests itself.
struct TLSConnection {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private let channel: any Channel
    private var received = ""

    /// Connects, calls `body`, and closes.
    static func with<Answer: Sendable>(
        port: Int?, _ body: (inout TLSConnection) async throws -> Answer
    ) async throws -> Answer {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = try NIOSSLContext(configuration: configuration)
        let connected = try await ClientBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .connect(host: "127.0.0.1", port: try #require(port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: nil))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await connected.executeThenClose { inbound, outbound in
            var connection = TLSConnection(
                inbound: inbound.makeAsyncIterator(), outbound: outbound, channel: connected.channel)
            return try await body(&connection)
        }
    }

    func send(_ bytes: some Sequence<UInt8>) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    /// Everything up to and with `mark`; what comes behind it stays for the next call.
    ///
    /// - Throws: `ChannelError.eof` when the server ends the connection before.
    mutating func receive(until mark: String) async throws -> String {
        while true {
            if let end = received.firstRange(of: mark)?.upperBound {
                defer { received = String(received[end...]) }
                return String(received[..<end])
            }
            guard let bytes = try await inbound.next() else { throw ChannelError.eof }
            received += String(buffer: bytes)
        }
    }

    /// So many bytes of text.
    mutating func receive(bytes count: Int) async throws -> String {
        while received.utf8.count < count {
            guard let bytes = try await inbound.next() else { throw ChannelError.eof }
            received += String(buffer: bytes)
        }
        defer { received = String(decoding: received.utf8.dropFirst(count), as: UTF8.self) }
        return String(decoding: received.utf8.prefix(count), as: UTF8.self)
    }

    /// Everything until the server ends the connection.
    ///
    /// - Throws: `NIOSSLError.uncleanShutdown` when it does so without saying so, as somebody in between would.
    mutating func receiveAll() async throws -> String {
        while let bytes = try await inbound.next() { received += String(buffer: bytes) }
        return received
    }

    /// The certificate that the server has shown, as DER.
    func certificate() async throws -> [UInt8] {
        let shown = try await channel.eventLoop.submit { [channel] in
            let handler = try channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
            return try handler.peerCertificate?.toDERBytes()
        }.get()
        return try #require(shown)
    }
}
