import NIOCore
import NIOHTTP1

extension ConnectionRules {
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard phase != .lingering else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.isInformational:
            context.write(data, promise: promise)
        case .head(let head):
            context.write(wrapOutboundOut(.head(finished(head))), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end where exchanges.first?.isHead == true:
            // The encoder, which knows no requests, would end a body of unknown length with its last chunk.
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: promise)
            endResponse(context)
        case .end:
            context.write(data, promise: promise)
            endResponse(context)
        }
        watch()
    }

    /// Sends the whole response to the one request that has been read, as it is.
    ///
    /// - Returns: Whether it was sent; false when its head would have to say more, such as that it is the last one.
    func sendWhole(_ response: ByteBuffer) -> Bool {
        guard let context, let encoder, phase == .open, !isStopping, pendingFault == nil, exchanges.count == 1,
            let exchange = exchanges.first, exchange.isComplete, exchange.isKeepAlive, !exchange.isHTTP10,
            !exchange.isHead
        else { return false }
        // From the encoder on, to the socket.
        encoder.writeAndFlush(NIOAny(response), promise: nil)
        endResponse(context)
        watch()
        return true
    }

    /// The head with what this connection adds: whether it stays open, and the client's version of HTTP.
    private func finished(_ head: HTTPResponseHead) -> HTTPResponseHead {
        var head = head
        let exchange = exchanges.first
        let isOld = exchange?.isHTTP10 ?? false
        if isOld { head.version = .http1_0 }
        let isFramed = !isOld || head.headers.contains(name: "content-length")
        let staysOpen = exchange.map { $0.isComplete && $0.isKeepAlive } ?? false
        if staysOpen, isFramed, !isStopping, pendingFault == nil || exchanges.count > 1 {
            if isOld { head.headers.replaceOrAdd(name: "Connection", value: "keep-alive") }
        } else {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            phase = .lastResponse
        }
        return head
    }

    private func endResponse(_ context: ChannelHandlerContext) {
        guard phase == .open else {
            // Who is still sending, and does not listen meanwhile, is let come to the end.
            if let last = exchanges.last, !last.isComplete, !last.holdsBodyBack, !last.isBodyHuge {
                maxDrained = limits.maxDrainedBytes
            }
            return linger(context)
        }
        exchanges.removeFirst(min(1, exchanges.count))
        if exchanges.isEmpty {
            clock.idleSince = context.eventLoop.now
            if let fault = pendingFault { refuse(fault) }
        }
    }

    /// Half-closes behind what is left to be sent, then gives the client a bounded time to read it and close. Closing at
    /// once would reset the connection under the answer when bytes of the client are unread.
    func linger(_ context: ChannelHandlerContext) {
        phase = .lingering
        clock.lingerStarted = context.eventLoop.now
        clock.lastDrained = nil
        exchanges.removeAll()
        let sent = context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))))
        sent.assumeIsolated().whenComplete { _ in
            self.isSent = true
            self.closeWhenDone()
        }
        // With its input closed NIO would close the whole channel, whatever waits to be sent.
        if !isInputClosed { context.close(mode: .output, promise: nil) }
        context.read()
        watch()
    }

    /// Closes when everything is sent and the client has closed its side.
    func closeWhenDone() {
        if phase == .lingering, isSent, isInputClosed { context?.close(mode: .all, promise: nil) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        // The application half-closes when it takes no more requests, and then waits for the client to close.
        if phase != .lingering { linger(context) }
        promise?.succeed()
    }

    /// Answers what is no request, and takes no more.
    func refuse(_ fault: any Error) {
        guard let context else { return }
        let isTooLarge = fault as? HTTPParserError == .headerOverflow
        let isLate = fault is HeadTimedOut
        let status: HTTPResponseStatus =
            isTooLarge ? .requestHeaderFieldsTooLarge : isLate ? .requestTimeout : .badRequest
        let text =
            isTooLarge
            ? "The head of the request is larger than \(limits.maxHeadBytes) bytes.\nSend fewer or shorter headers.\n"
            : isLate
                ? "The request did not come within \(limits.headTimeout.components.seconds) seconds.\nSend it again.\n"
                : "This is not a request of HTTP/1.1 that this server understands.\nCheck its head and its length.\n"
        let headers = HTTPHeaders([
            ("Content-Type", "text/plain"), ("Content-Length", "\(text.utf8.count)"), ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"), ("Connection", "close"),
        ])
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
        linger(context)
    }
}

/// The head of a request was begun and not finished in time.
struct HeadTimedOut: Error {}

extension HTTPResponseHead {
    fileprivate var isInformational: Bool { (100..<200).contains(status.code) }
}
