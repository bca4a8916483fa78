import Synchronization

/// What a child printed so far, up to a limit; it is kept when the child is killed.
final class BoundedOutput: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var overflowed = false
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    /// Keeps what fits; false when something did not.
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        state.withLock { state in
            let room = limit - state.bytes.count
            state.bytes.append(contentsOf: bytes.prefix(room))
            if bytes.count > room { state.overflowed = true }
            return bytes.count <= room
        }
    }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var overflowed: Bool { state.withLock { $0.overflowed } }
}
