import HTTPTypes
import Hummingbird

/// Finds out who asks and how, before anything else looks at the request: what a proxy says is believed only of the proxies
/// that the operator has listed, and taken out of all other requests.
struct TransportRules: RouterMiddleware {
    typealias Context = GatewayContext
    let access: AccessRule

    /// Proxies add one or another of them to what they pass on.
    private static let signsOfProxies: [HTTPField.Name] = [.forwarded, .forwardedFor, .forwardedProto, .realIP, .via]

    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        var head = request.head
        let peer = context.peer
        let isPassedOn = Self.signsOfProxies.contains { head.headerFields[$0] != nil }
        if let peer, access.isTrusted(peer) {
            let named = access.client(behind: peer, forwardedFor: head.headerFields[values: .forwardedFor])
            context.client = named.address
            context.certainClient = !isPassedOn ? peer : named.isCertain ? named.address : nil
        } else {
            context.client = peer
            context.certainClient = isPassedOn ? nil : peer
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
    /// Whether what it says of the clients behind it is believed.
    package func isTrusted(_ address: ClientAddress) -> Bool { trustedProxies.contains { $0.contains(address) } }

    /// The last address of `X-Forwarded-For` that no trusted proxy has; each proxy has appended whom it heard from, and what
    /// stands before that may be made up. The proxy itself when there is none, which is then not certain; nor is a proxy
    /// before which stands what is no address.
    func client(
        behind proxy: ClientAddress, forwardedFor fields: [String]
    ) -> (address: ClientAddress, isCertain: Bool) {
        var last = (address: proxy, isCertain: false)
        for word in fields.joined(separator: ",").split(separator: ",").reversed() {
            guard let address = ClientAddress(word.trimming { $0 == " " || $0 == "\t" }) else {
                return (last.address, false)
            }
            last = (address, true)
            if !isTrusted(address) { return last }
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
