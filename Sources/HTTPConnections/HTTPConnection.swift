package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
package import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOSSL

/// Sets up the channel of one connection: TLS if there is a certificate, NIO's parser, ``ConnectionRules``, and the stream
/// that the application reads requests from.
package struct HTTPConnection: ServerChildChannel, HTTPChannelHandler {
    package typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    package let responder: HTTPChannelHandler.Responder
    let limits: ConnectionLimits
    let certificate: ServerCertificate?
    let quick: QuickResponder?
    let cap: ConnectionCap?

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try count(channel, logger)
            let pipeline = channel.pipeline.syncOperations
            let rules = ConnectionRules(limits: limits)
            let meter = ByteMeter(rules: rules)
            rules.meter = meter
            if let certificate { try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context)) }
            try pipeline.addHandler(meter)
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: parserLimits)
            try pipeline.addHandler(rules)
            if let quick {
                rules.encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
                try pipeline.addHandler(QuickAnswers(quick, rules: rules, isSecure: certificate != nil))
            }
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: certificate != nil))
            // It ends idle connections when the server stops.
            try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: nil, logger: logger))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    package func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await handleHTTP(asyncChannel: value, logger: logger)
        }
    }

    private func count(_ channel: any Channel, _ logger: Logger) throws {
        guard let cap else { return }
        guard let origin = cap.admit(channel.remoteAddress) else {
            if cap.isToBeTold() { logger.warning("connections are closed at once: there are as many as may be") }
            // Nobody else closes a channel whose setting up has failed.
            channel.close(promise: nil)
            throw TooManyConnections()
        }
        channel.closeFuture.whenComplete { _ in cap.leave(origin) }
    }

    private var parserLimits: NIOHTTPDecoderLimitConfiguration {
        var parser = NIOHTTPDecoderLimitConfiguration()
        parser.maxHeaderFieldSize = limits.maxHeadBytes
        parser.maxHeaderListSize = limits.maxHeadBytes
        parser.maxHeaderFieldCount = 200
        return parser
    }
}

extension HTTPServerBuilder {
    /// A server of HTTP/1.1 that keeps ``ConnectionLimits``.
    ///
    /// - Parameters:
    ///   - certificate: What it speaks TLS with; nil for plain HTTP.
    ///   - quick: Is asked first, where it is there.
    ///   - cap: How many connections there may be; nil for any number.
    package static func http(
        limits: ConnectionLimits = ConnectionLimits(), certificate: ServerCertificate? = nil,
        quick: QuickResponder? = nil, cap: ConnectionCap? = nil
    ) -> HTTPServerBuilder {
        HTTPServerBuilder {
            HTTPConnection(responder: $0, limits: limits, certificate: certificate, quick: quick, cap: cap)
        }
    }
}
