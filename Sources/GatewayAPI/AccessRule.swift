import HTTPTypes
import Hummingbird

/// Whether uploads and results may travel in the clear (RequireHTTPS).
package struct AccessRule: Sendable {
    package var requireHTTPS: Bool
    package var listener: Listener

    /// What stands between the client and this process.
    package enum Listener: String, Sendable {
        /// Nothing, and we speak HTTP.
        case plain
        /// Nothing, and we speak TLS ourselves.
        case tls
        /// A proxy that always sets `X-Forwarded-Proto` itself; only then is the header believed.
        case proxy
    }

    package init(requireHTTPS: Bool = false, listener: Listener = .plain) {
        self.requireHTTPS = requireHTTPS
        self.listener = listener
    }

    /// - Throws: ``Refusal`` with 403 when HTTPS is required and the request did not come by it.
    func check(_ request: Request) throws(Refusal) {
        guard requireHTTPS, !isSecure(request) else { return }
        throw Refusal(.forbidden, .httpsOnly, advice: .useHTTPS)
    }

    /// Whether the request came by HTTPS, as far as this process can know.
    func isSecure(_ request: Request) -> Bool {
        switch listener {
        case .plain: false
        case .tls: true
        case .proxy: request.headers[.forwardedProto]?.lowercased() == "https"
        }
    }
}
