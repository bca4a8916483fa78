import NIOCore

/// Counts the bytes of a connection in the clear, between TLS and the parser, for ``ConnectionRules``.
final class ByteMeter: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let rules: ConnectionRules
    /// Bytes that were handed down for the socket.
    private(set) var written = 0
    /// How often something was handed down or sent on its way: while it stays the same, no new byte waits for the socket.
    private(set) var changes = 0

    init(rules: ConnectionRules) { self.rules = rules }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let count = unwrapInboundIn(data).readableBytes
        guard rules.takesBytes(count) else { return }
        // The parser has the bytes once this returns, so a head that is whole has no time to be late.
        context.fireChannelRead(data)
        rules.didReceive(count)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        written += unwrapOutboundIn(data).readableBytes
        changes += 1
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        // TLS holds bytes back until now.
        changes += 1
        context.flush()
    }
}
