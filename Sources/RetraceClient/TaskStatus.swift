/// What the server says of a task at one moment.
package struct TaskStatus: Hashable, Sendable {
    package let state: State
    /// The text for people; it may have several lines.
    package let body: String

    /// The word in `X-Task-Status`.
    package enum State: Hashable, Sendable {
        case pending
        case success
        case failure
    }

    /// - Parameter word: The value of `X-Task-Status`; what begins with `FINISHED` and is no success is a failure, as
    ///   ABRT's client has it.
    package init(word: String, body: String) {
        state = word == "FINISHED_SUCCESS" ? .success : word.hasPrefix("FINISHED") ? .failure : .pending
        self.body = body
    }

    /// The lines of the text, without the empty ones.
    package var lines: [String] { body.split(whereSeparator: \.isNewline).map(String.init) }

    /// How long each stage took, in seconds, from the line `Time: ingest 0.05 s, resolve 0.01 s`; empty without one.
    package var stageTimes: [StageTime] {
        guard let line = lines.first(where: { $0.hasPrefix(Self.timePrefix) }) else { return [] }
        return line.dropFirst(Self.timePrefix.count).split(separator: ",").compactMap { part in
            let words = part.split(separator: " ")
            guard words.count == 3, words[2] == "s", let seconds = Double(words[1]) else { return nil }
            return StageTime(stage: String(words[0]), seconds: seconds)
        }
    }

    /// The lines but the one of the times.
    package var linesWithoutTimes: [String] { lines.filter { !$0.hasPrefix(Self.timePrefix) } }

    private static let timePrefix = "Time: "
}

/// How long a stage took.
package struct StageTime: Hashable, Sendable {
    package let stage: String
    package let seconds: Double

    package init(stage: String, seconds: Double) {
        self.stage = stage
        self.seconds = seconds
    }
}
