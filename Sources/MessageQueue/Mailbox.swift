import CRabbitMQ
import Glibc
import Synchronization

/// What tasks ask of a connection's thread. Posting wakes the thread at once.
final class Mailbox: Sendable {
    typealias Command = @Sendable (ConnectionLoop) -> Void
    typealias Answer<Value> = @Sendable (Result<Value, MessageQueueError>) -> Void

    /// Readable while there is something to do; eventfd(2).
    let descriptor: Int32
    private let state = Mutex(State())

    private struct State {
        var commands: [Command] = []
        var isOpen = true
    }

    init() throws(MessageQueueError) {
        descriptor = retrace_wakeup_descriptor()
        guard descriptor >= 0 else {
            throw MessageQueueError(.unreachable, "the process has no file descriptor left (errno \(errno))")
        }
    }

    deinit { close(descriptor) }

    /// - Returns: Whether the command will run: not after ``shut()``.
    func post(_ command: @escaping Command) -> Bool {
        let (isTaken, isFirst) = state.withLock { state in
            let isFirst = state.commands.isEmpty
            if state.isOpen { state.commands.append(command) }
            return (state.isOpen, isFirst)
        }
        // A counter at its maximum, the only way for this to fail, wakes the thread just as well.
        var one: UInt64 = 1
        if isTaken, isFirst { _ = write(descriptor, &one, 8) }
        return isTaken
    }

    /// Runs a command on the thread and waits, suspended, for its answer.
    func call<Value: Sendable>(
        _ command: @escaping @Sendable (ConnectionLoop, @escaping Answer<Value>) -> Void
    ) async throws(MessageQueueError) -> Value {
        let result: Result<Value, MessageQueueError> = await withCheckedContinuation { continuation in
            let isTaken = post { loop in command(loop) { continuation.resume(returning: $0) } }
            if !isTaken { continuation.resume(returning: .failure(ConnectionLoop.closed)) }
        }
        return try result.get()
    }

    /// Takes what was posted; the descriptor is quiet until the next post.
    func take() -> [Command] {
        // Before the commands are taken: what is posted from now on wakes again. EAGAIN when nothing was.
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        return state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
    }

    /// Takes what is left and nothing ever again.
    func shut() -> [Command] {
        state.withLock { state in
            defer { state = State(commands: [], isOpen: false) }
            return state.commands
        }
    }
}
