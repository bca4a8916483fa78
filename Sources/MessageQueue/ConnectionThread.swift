import Glibc
import Synchronization

/// Starts a thread of its own for a connection; it ends after ``ConnectionLoop/stop(within:_:)``.
///
/// A thread rather than a task, because librabbitmq blocks and belongs to one thread, and the threads of Swift's pool
/// are few.
///
/// - Throws: `unreachable` when the system has no thread or descriptor left.
func startConnectionThread(
    _ makeLoop: @escaping @Sendable (Mailbox) -> ConnectionLoop
) throws(MessageQueueError) -> Mailbox {
    let mailbox = try Mailbox()
    let start = Unmanaged.passRetained(ThreadStart { makeLoop(mailbox).run() })
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, start.toOpaque())
    guard status == 0 else {
        start.release()
        throw MessageQueueError(.unreachable, "the system has no thread left for the connection (errno \(status))")
    }
    pthread_detach(thread)
    return mailbox
}

/// What a thread is to do, in a form that C can carry.
private final class ThreadStart: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Which connection is the current one, for whoever is not on its thread.
final class ConnectionEpoch: Sendable {
    private let number = Atomic<Int>(0)
    var current: Int { number.load(ordering: .acquiring) }
    func advance() { number.add(1, ordering: .releasing) }
}
