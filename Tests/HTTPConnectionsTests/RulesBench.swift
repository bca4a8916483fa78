import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import HTTPConnections

/// ``ConnectionRules`` between NIO's parser and an application that does what the test says, on a clock that the test moves.
final class RulesBench {
    let channel = EmbeddedChannel()
    let rules: ConnectionRules
    private let application = Application()
    private let socket = Socket()

    /// - Parameter quick: Is asked before the application.
    init(_ limits: ConnectionLimits = ConnectionLimits(), quick: QuickResponder? = nil) throws {
        rules = ConnectionRules(limits: limits)
        let meter = ByteMeter(rules: rules)
        rules.meter = meter
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandlers([socket, meter])
        var parser = NIOHTTPDecoderLimitConfiguration()
        parser.maxHeaderListSize = limits.maxHeadBytes
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false, withEncoderConfiguration: .init(),
            withDecoderLimitConfiguration: parser)
        try pipeline.addHandler(rules)
        if let quick {
            rules.encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            try pipeline.addHandler(QuickAnswers(quick, rules: rules, isSecure: false))
        }
        try pipeline.addHandler(application)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        channel.read()
    }

    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

    /// What the application has seen: the methods of requests, the bytes of bodies, ends and errors.
    var seen: [String] { application.seen }
    /// How often the socket was asked for more.
    var readCount: Int { socket.readCount }
    /// Whether the client has been told that nothing more will come.
    var isOutputClosed: Bool { socket.isOutputClosed }
    var isOpen: Bool { channel.isActive }

    /// The client sends these bytes, and the application asks for more.
    func receive(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
        channel.read()
    }

    func pass(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

    func wantBody() throws { try channel.triggerUserOutboundEvent(BodyWanted()).wait() }

    /// The application answers.
    ///
    /// - Parameter hasLength: Whether the head says how long the body is.
    func answer(
        _ status: HTTPResponseStatus = .ok, _ body: String = "", headers: HTTPHeaders = [:], hasLength: Bool = true
    ) throws {
        var headers = headers
        if hasLength, !headers.contains(name: "content-length") {
            headers.add(name: "Content-Length", value: "\(body.utf8.count)")
        }
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        try channel.writeOutboundPart(.head(head))
        try channel.writeOutboundPart(.body(.byteBuffer(ByteBuffer(string: body))))
        try channel.writeOutboundPart(.end(nil))
        channel.flush()
        channel.embeddedEventLoop.run()
    }

    /// Everything that was sent to the client since it was last asked.
    func sent() throws -> String {
        var text = ""
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text
    }
}

extension EmbeddedChannel {
    fileprivate func writeOutboundPart(_ part: HTTPServerResponsePart) throws { write(part, promise: nil) }
}

private final class Application: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    var seen: [String] = []

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): seen.append("\(head.method) \(head.uri)")
        case .body(let body): seen.append(String(buffer: body))
        case .end: seen.append("end")
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { seen.append("\(type(of: error))") }
}

/// What a socket does and the embedded channel does not: it can be closed in one direction.
private final class Socket: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = ByteBuffer
    var readCount = 0
    var isOutputClosed = false

    func read(context: ChannelHandlerContext) {
        readCount += 1
        context.read()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        isOutputClosed = true
        promise?.succeed()
    }
}
