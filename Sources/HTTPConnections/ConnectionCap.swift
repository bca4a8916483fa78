package import NIOCore
import Synchronization

/// How many connections there may be at a time, in all and of one client. What is over it is closed before anything is read:
/// each connection costs a descriptor and memory, whatever it does.
package final class ConnectionCap: Sendable {
    /// How a connection counts.
    package enum Origin: Hashable, Sendable {
        /// Among all only, and beyond the limit by some, as one of the operator's own.
        case exempt
        /// Among all only, as one of a proxy, behind which many clients are.
        case shared
        /// Among all and among those of the client that this number stands for.
        case client(Int)
    }

    private struct State {
        var all = 0
        var clients: [Int: Int] = [:]
        /// When it may be said again that there are too many.
        var nextNotice = NIODeadline.uptimeNanoseconds(0)
    }

    /// Whoever looks after a crowded server gets in.
    private static let reserve = 64

    private let limit: Int
    private let limitPerClient: Int
    private let origin: @Sendable (SocketAddress?) -> Origin
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: How many there may be in all.
    ///   - limitPerClient: How many of them may be one client's.
    ///   - origin: How a connection from an address counts; it is called on event loops and must not wait.
    package init(limit: Int, limitPerClient: Int, origin: @escaping @Sendable (SocketAddress?) -> Origin) {
        self.limit = limit
        self.limitPerClient = limitPerClient
        self.origin = origin
    }

    /// The connections that there are.
    package var count: Int { state.withLock { $0.all } }

    /// - Returns: As what the connection has been counted, for ``leave(_:)``; nil when it is one too many.
    func admit(_ address: SocketAddress?) -> Origin? {
        let origin = origin(address)
        let isAdmitted = state.withLock { state in
            guard state.all < (origin == .exempt ? limit + Self.reserve : limit) else { return false }
            if case .client(let client) = origin {
                guard state.clients[client, default: 0] < limitPerClient else { return false }
                state.clients[client, default: 0] += 1
            }
            state.all += 1
            return true
        }
        return isAdmitted ? origin : nil
    }

    /// Whether it is time to say that a connection was not admitted: once a minute is enough.
    func isToBeTold(now: NIODeadline = .now()) -> Bool {
        state.withLock { state in
            guard now >= state.nextNotice else { return false }
            state.nextNotice = now + .minutes(1)
            return true
        }
    }

    /// A connection that was admitted has ended.
    func leave(_ origin: Origin) {
        state.withLock { state in
            state.all -= 1
            guard case .client(let client) = origin, let count = state.clients[client] else { return }
            state.clients[client] = count > 1 ? count - 1 : nil
        }
    }
}

/// What setting up a connection throws that is over the ``ConnectionCap``.
struct TooManyConnections: Error {}
