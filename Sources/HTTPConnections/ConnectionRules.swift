import NIOCore
import NIOHTTP1

/// What an HTTP/1.1 connection owes its server: requests in time and of a bounded size, `100 Continue` only when the body is
/// wanted (RFC 9110, 10.1.1), and an end that lets the client read the answer to a body that nobody wanted
/// (RFC 9112, 9.6).
///
/// It stands between NIO's parser and the application, and belongs to one event loop.
final class ConnectionRules: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// A request whose response has not been sent to its end.
    struct Exchange {
        let isHTTP10: Bool
        let isKeepAlive: Bool
        /// The answer ends with its head, whatever that says of a body (RFC 9112, 6.3).
        let isHead: Bool
        /// The client holds the body back until it is told to go on.
        var holdsBodyBack: Bool
        /// The body is so large that its end is not waited for when nobody wants it.
        let isBodyHuge: Bool
        /// The request has been read to its end.
        var isComplete = false
    }

    enum Phase {
        /// Requests are taken.
        case open
        /// The response under way is the last one; what still comes in is thrown away.
        case lastResponse
        /// Everything is sent, and the client has this long to take it and close.
        case lingering
    }

    let limits: ConnectionLimits
    var context: ChannelHandlerContext?
    var meter: ByteMeter?
    /// What encodes responses, for those that are encoded already.
    var encoder: ChannelHandlerContext?
    var phase = Phase.open
    /// Oldest first: the first is the one that is being answered, only the last can be incomplete.
    var exchanges: CircularBuffer<Exchange> = []
    /// What the parser said of bytes that follow requests still to be answered.
    var pendingFault: (any Error)?
    var isInputClosed = false
    var isStopping = false
    /// Everything has gone to the socket.
    var isSent = false
    /// Bytes of unwanted bodies that were thrown away, and how many may be.
    var drained = 0
    var maxDrained: Int
    var clock = Clock()

    init(limits: ConnectionLimits) {
        self.limits = limits
        maxDrained = limits.maxNoticeBytes
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        clock.headStarted = context.eventLoop.now
        watch()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stopWatching()
        self.context = nil
        meter = nil
        encoder = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopWatching()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase == .open else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            clock.headStarted = nil
            clock.headBytes = 0
            clock.body = BodyClock(start: context.eventLoop.now)
            exchanges.append(exchange(head))
        case .body(let bytes):
            clock.body.last = context.eventLoop.now
            clock.body.bytes += bytes.readableBytes
            changeLast { $0.holdsBodyBack = false }
        case .end:
            changeLast {
                $0.isComplete = true
                $0.holdsBodyBack = false
            }
        }
        watch()
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // The application no longer asks for more, so the rest of an unwanted body is asked for here.
        if phase == .lingering { drainMore(context) }
    }

    func read(context: ChannelHandlerContext) {
        guard phase == .open else { return drainMore(context) }
        if !clock.isReadAsked {
            clock.isReadAsked = true
            // The time in which nobody asked was ours and not the client's.
            clock.body.last = context.eventLoop.now
            clock.body.asked = clock.body.last
            watch()
        }
        context.read()
    }

    /// Asks for more that nobody wants, as long as that may go on.
    private func drainMore(_ context: ChannelHandlerContext) {
        if drained < maxDrained { context.read() }
    }

    private func exchange(_ head: HTTPRequestHead) -> Exchange {
        let isHTTP10 = head.version == .http1_0
        // The parser has seen to it that there is one length at most, and that it is a number.
        let length = head.headers.first(name: "content-length").flatMap(Int.init) ?? 0
        return Exchange(
            isHTTP10: isHTTP10, isKeepAlive: head.isKeepAlive, isHead: head.method == .HEAD,
            holdsBodyBack: !isHTTP10
                && head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" },
            isBodyHuge: length > limits.maxDrainedBytes)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isInputClosed = true
            closeWhenDone()
        }
        if event is ChannelShouldQuiesceEvent {
            isStopping = true
            if phase == .lingering { watch() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is BodyWanted else { return context.triggerUserOutboundEvent(event, promise: promise) }
        guard phase == .open, exchanges.count == 1, exchanges.first?.holdsBodyBack == true else {
            promise?.succeed()
            return
        }
        changeLast { $0.holdsBodyBack = false }
        clock.body = BodyClock(start: context.eventLoop.now)
        watch()
        context.writeAndFlush(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else { return context.fireErrorCaught(error) }
        guard phase == .open else { return }
        if exchanges.isEmpty {
            refuse(error)
        } else if exchanges.last?.isComplete == false {
            // Whoever reads the body is told, and its response is the last one.
            context.fireErrorCaught(error)
        } else {
            pendingFault = error
        }
    }

    func changeLast(_ change: (inout Exchange) -> Void) {
        guard !exchanges.isEmpty else { return }
        change(&exchanges[exchanges.index(before: exchanges.endIndex)])
    }
}
