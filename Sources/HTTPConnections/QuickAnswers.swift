package import NIOCore
package import NIOHTTP1

/// What the application can answer at once, without waiting for anything.
package struct QuickAnswer: Sendable {
    fileprivate let headers: HTTPHeaders
    fileprivate let body: ByteBuffer
    /// The answer on a connection that stays open, up to the value of `Date`, which is the last header.
    private let start: ByteBuffer

    /// - Parameter headers: All of them but `Date` and `Content-Length`; none of them from outside.
    package init(headers: HTTPHeaders, body: ByteBuffer) {
        var all = headers
        all.add(name: "Content-Length", value: "\(body.readableBytes)")
        self.headers = all
        self.body = body
        start = ByteBuffer(
            string: "HTTP/1.1 200 OK\r\n" + all.map { "\($0.name): \($0.value)\r\n" }.joined() + "Date: ")
    }

    /// Everything that goes over the wire, as it is said at this second.
    fileprivate func encoded(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        var bytes = allocator.buffer(capacity: start.readableBytes + 33 + body.readableBytes)
        bytes.writeImmutableBuffer(start)
        bytes.writeString(HTTPDate.now)
        bytes.writeStaticString("\r\n\r\n")
        bytes.writeImmutableBuffer(body)
        return bytes
    }
}

/// Says the 200 to a request; nil for one that must take the usual way. It is called on event loops and must not wait.
package typealias QuickResponder = @Sendable (_ head: HTTPRequestHead, _ isSecure: Bool) -> QuickAnswer?

/// Answers on the event loop what needs no more: most requests of a busy server are polls of clients that wait.
///
/// A request is answered here only when it has no body and nothing before it on the connection is still to be answered, so
/// that the application behind sees the rest of the requests in order, and none of these at all.
final class QuickAnswers: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let respond: QuickResponder
    private let rules: ConnectionRules
    private let isSecure: Bool
    /// The answer to a request whose end is still to be read.
    private var answer: QuickAnswer?
    /// Requests that the application has and has not answered to their end.
    private var outstanding = 0

    init(_ respond: @escaping QuickResponder, rules: ConnectionRules, isSecure: Bool) {
        self.respond = respond
        self.rules = rules
        self.isSecure = isSecure
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            // Who does not read its answers is left to the application, which waits for that.
            if outstanding == 0, context.channel.isWritable, Self.isPlainGet(head), let answer = respond(head, isSecure)
            {
                self.answer = answer
                return
            }
            outstanding += 1
        case .body where answer != nil: return
        case .end where answer != nil:
            guard let answer else { return }
            self.answer = nil
            send(answer, context)
            return
        case .body, .end: break
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { outstanding -= 1 }
        context.write(data, promise: promise)
    }

    /// Whether it is a GET of HTTP/1.1 without a body on a connection that stays open.
    private static func isPlainGet(_ head: HTTPRequestHead) -> Bool {
        head.method == .GET && head.version == .http1_1 && head.isKeepAlive && !head.headers.contains(name: "Expect")
            && !head.headers.contains(name: "Content-Length") && !head.headers.contains(name: "Transfer-Encoding")
    }

    private func send(_ answer: QuickAnswer, _ context: ChannelHandlerContext) {
        if rules.sendWhole(answer.encoded(context.channel.allocator)) { return }
        var headers = answer.headers
        headers.add(name: "Date", value: HTTPDate.now)
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
