import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import SystemPackage
import TestFixtures

/// A web server on the loopback that serves a folder, with `Range`, and remembers what it was asked for.
final class FolderServer: Sendable {
    struct Asked: Hashable, Sendable {
        let path: String
        let range: String?
    }

    private let channel: any Channel
    private let requests: RequestLog

    /// - Parameters:
    ///   - cut: Paths ending so get only that many bytes of their body, then the connection is closed.
    ///   - silent: Paths ending so get no answer at all, and the connection stays open.
    ///   - gathered: Requests for paths ending in `.rpm` are answered when so many of them wait at once.
    ///   - trickle: Paths ending so come byte by byte, ten in a second.
    init(
        _ folder: FilePath, cut: [String: Int] = [:], silent: [String] = [], trickle: [String] = [],
        gathered: Int = 0
    ) async throws {
        let gathering = Gathering(gathered)
        let asked = RequestLog()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Handler(
                            folder: folder, cut: cut, silent: silent, trickle: trickle,
                            gathering: gathering, asked: asked))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        requests = asked
    }

    var address: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    /// Every request since the last call.
    func takeRequests() -> [Asked] { requests.take() }

    func stop() async throws { try await channel.close() }

    /// Holds answers back until so many wait; those after them go at once.
    final class Gathering: Sendable {
        private let waiting: Mutex<(missing: Int, answers: [@Sendable () -> Void])>
        init(_ count: Int) { waiting = Mutex((count, [])) }
        func wait(_ answer: @escaping @Sendable () -> Void) {
            let ready = waiting.withLock { waiting in
                waiting.missing -= 1
                waiting.answers.append(answer)
                guard waiting.missing <= 0 else { return [@Sendable () -> Void]() }
                defer { waiting.answers = [] }
                return waiting.answers
            }
            for answer in ready { answer() }
        }
    }

    final class RequestLog: Sendable {
        private let entries = Mutex<[Asked]>([])
        func add(_ asked: Asked) { entries.withLock { $0.append(asked) } }
        func take() -> [Asked] {
            entries.withLock { entries in
                defer { entries = [] }
                return entries
            }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        let folder: FilePath
        let cut: [String: Int]
        let silent: [String]
        let trickle: [String]
        let gathering: Gathering
        let asked: RequestLog

        init(
            folder: FilePath, cut: [String: Int], silent: [String], trickle: [String], gathering: Gathering,
            asked: RequestLog
        ) {
            self.folder = folder
            self.cut = cut
            self.silent = silent
            self.trickle = trickle
            self.gathering = gathering
            self.asked = asked
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            let range = head.headers.first(name: "range")
            asked.add(Asked(path: head.uri, range: range))
            if silent.contains(where: head.uri.hasSuffix) { return }
            guard head.uri.hasSuffix(".rpm") else { return serve(context, head, range) }
            let box = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let loop = context.eventLoop
            gathering.wait { loop.execute { box.value.0.serve(box.value.1, head, range) } }
        }

        private func serve(_ context: ChannelHandlerContext, _ head: HTTPRequestHead, _ range: String?) {
            let path = head.uri.split(separator: "/").reduce(folder) { $0.appending(String($1)) }
            guard var body = try? FolderContents.read(path) else { return answer(context, .notFound, [:], [], false) }
            var headers: HTTPHeaders = [:]
            var status = HTTPResponseStatus.ok
            let whole = body.count
            if let range, let start = Int(range.dropFirst("bytes=".count).dropLast()), start < whole {
                status = .partialContent
                body = Array(body[start...])
                headers.add(name: "content-range", value: "bytes \(start)-\(whole - 1)/\(whole)")
            }
            headers.add(name: "content-length", value: String(body.count))
            if trickle.contains(where: head.uri.hasSuffix) { return drip(context, status, headers, body) }
            let limit = cut.first { head.uri.hasSuffix($0.key) }?.value
            answer(
                context, status, headers, Array(body.prefix(limit ?? body.count)), (limit ?? body.count) < body.count)
        }

        private func drip(
            _ context: ChannelHandlerContext, _ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: [UInt8]
        ) {
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
                promise: nil)
            let channel = context.channel
            let rest = Mutex(body[...])
            channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(100)) { task in
                guard channel.isActive, let byte = rest.withLock({ $0.popFirst() }) else { return task.cancel() }
                channel.writeAndFlush(
                    HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: [byte]))), promise: nil)
            }
        }

        private func answer(
            _ context: ChannelHandlerContext, _ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: [UInt8],
            _ closes: Bool
        ) {
            var headers = headers
            if headers["content-length"].isEmpty { headers.add(name: "content-length", value: "0") }
            let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
            guard closes else {
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
                return
            }
            context.flush()
            context.close(promise: nil)
        }
    }
}
