import HTTPTypes
import Hummingbird

/// Finds out who asks and how, before anything else looks at the request: what a proxy says is believed only of the proxies
/// that the operator has listed, and taken out of all other requests.
struct TransportRules: RouterMiddleware {
    typealias Context = GatewayContext
    let access: AccessRule

    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        var head = request.head
        let peer = context.peer
        if let peer, access.isTrusted(peer) {
            context.client = access.client(behind: peer, forwardedFor: head.headerFields[values: .forwardedFor])
        } else {
            context.client = peer
            head.headerFields[.forwardedProto] = nil
            head.headerFields[.forwardedFor] = nil
        }
        let request = Request(head: head, body: request.body)
        var response = try await next(request, context)
        if access.requireHTTPS, access.isSecure(request) {
            response.headers[.strictTransportSecurity] = "max-age=31536000"
        }
        return response
    }
}

extension AccessRule {
    func isTrusted(_ address: ClientAddress) -> Bool { trustedProxies.contains { $0.contains(address) } }

    /// The last address of `X-Forwarded-For` that no trusted proxy has; each proxy has appended whom it heard from, and what
    /// stands before that may be made up. The proxy itself when there is none.
    func client(behind proxy: ClientAddress, forwardedFor fields: [String]) -> ClientAddress {
        var last = proxy
        for word in fields.joined(separator: ",").split(separator: ",").reversed() {
            guard let address = ClientAddress(word.trimming { $0 == " " || $0 == "\t" }) else { return last }
            last = address
            if !isTrusted(address) { return address }
        }
        return last
    }
}

extension Substring {
    fileprivate func trimming(while isSpace: (Character) -> Bool) -> Substring {
        var text = drop(while: isSpace)
        while let end = text.last, isSpace(end) { text.removeLast() }
        return text
    }
}
