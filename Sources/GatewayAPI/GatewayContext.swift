import HTTPConnections
package import Hummingbird
import NIOCore

/// What travels with a request through the routes.
package struct GatewayContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    private let channel: any Channel
    /// Who asks, as limits count; nil when that is not known. ``TransportRules`` sets it, and nobody logs or stores it.
    var client: ClientAddress?
    /// Who asks, where that is certain: nil for a request that was passed on by a proxy which is not trusted, or which does
    /// not say for whom. ``TransportRules`` sets it.
    var certainClient: ClientAddress?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// Who is at the other end of the connection: a client, or a proxy.
    var peer: ClientAddress? { ClientAddress(channel.remoteAddress) }

    /// Says that the body will be read now: a client that waits for `100 Continue` is told to send it.
    func wantBody() async { try? await channel.triggerUserOutboundEvent(BodyWanted()) }
}
