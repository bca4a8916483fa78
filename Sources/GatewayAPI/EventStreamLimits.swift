/// The limits of `/<id>/events`.
package struct EventStreamLimits: Sendable {
    /// How many listeners there may be at once.
    package var maximumListeners = 256
    /// How many may listen to one task.
    package var maximumListenersOfATask = 8
    /// After so long without news a comment is sent, so that proxies do not take the connection for dead, and the place in
    /// the queue is looked at again.
    package var keepAlive: Duration = .seconds(15)
    /// After so long the stream ends, and the client comes again with `Last-Event-ID`.
    package var lifetime: Duration = .seconds(3600)

    package init() {}
}
