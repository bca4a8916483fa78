import Synchronization

/// Follows the marks of a ``KernelScript`` in crash's standard output, which come in pieces of any length.
final class SessionProgress: Sendable {
    private struct State {
        /// The end of what was seen, in which a mark may have begun.
        var rest: [UInt8] = []
        /// When each mark was seen: that crash obeys, then the end of each command.
        var marks: [ContinuousClock.Instant] = []
    }

    private let nonce: [UInt8]
    private let state = Mutex(State())

    init(nonce: String) { self.nonce = Array((nonce + ".").utf8) }

    /// How many commands are done; nil while crash has not begun to obey.
    var done: Int? { state.withLock { $0.marks.isEmpty ? nil : $0.marks.count - 1 } }

    /// How long each command that is done took.
    var times: [Duration] { state.withLock { state in zip(state.marks, state.marks.dropFirst()).map { $1 - $0 } } }

    /// The numbers of the marks that are new in `bytes`.
    func take(_ bytes: UnsafeRawBufferPointer) -> Range<Int> {
        state.withLock { state in
            state.rest.append(contentsOf: bytes)
            let before = state.marks.count
            while let mark = Self.find(nonce + Array("\(state.marks.count)\n".utf8), in: state.rest)
                ?? Self.find(nonce + Array("\(state.marks.count):".utf8), in: state.rest)
            {
                state.rest.removeFirst(mark)
                state.marks.append(.now)
            }
            // A mark is shorter than this.
            if state.rest.count > 256 { state.rest.removeFirst(state.rest.count - 256) }
            return before..<state.marks.count
        }
    }

    /// Where `mark` ends in `bytes`.
    private static func find(_ mark: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= mark.count else { return nil }
        return (0...bytes.count - mark.count).first { bytes[$0..<$0 + mark.count].elementsEqual(mark) }
            .map { $0 + mark.count }
    }
}
