import HTTPTypes
import Hummingbird

/// Whether uploads and results may travel in the clear (RequireHTTPS).
package struct AccessRule: Sendable {
    package var requireHTTPS: Bool
    package var listener: Listener
    /// The proxies whose `X-Forwarded-Proto` and `X-Forwarded-For` are believed; they set the first and extend the second.
    package var trustedProxies: [AddressRange]

    /// What this process speaks.
    package enum Listener: String, Sendable {
        case plain
        case tls
    }

    package init(requireHTTPS: Bool = false, listener: Listener = .plain, trustedProxies: [AddressRange] = []) {
        self.requireHTTPS = requireHTTPS
        self.listener = listener
        self.trustedProxies = trustedProxies
    }

    /// - Throws: ``Refusal`` with 403 when HTTPS is required and the request did not come by it.
    func check(_ request: Request) throws(Refusal) {
        guard requireHTTPS, !isSecure(request) else { return }
        throw Refusal(.forbidden, .httpsOnly, advice: .useHTTPS)
    }

    /// Whether the client sent the request by HTTPS. ``TransportRules`` has left the header only where it is believed.
    func isSecure(_ request: Request) -> Bool {
        if let scheme = request.headers[.forwardedProto] { return scheme.lowercased() == "https" }
        return listener == .tls
    }
}
