/// Why the client could not do what was asked, in words for the person at the terminal.
package struct ClientError: Error, Hashable, Sendable, CustomStringConvertible {
    package let kind: Kind
    /// What happened, as one sentence.
    package let reason: String
    /// What to do next; nil where the reason says it already.
    package let advice: String?

    /// What kind of trouble it is; each has an exit status of its own.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The server refused the upload or has no such task.
        case refused
        /// The arguments contradict each other or are not what they should be.
        case usage
        /// A file that was given cannot be used as a crash.
        case unusableInput
        /// The server does not answer, is busy, or answers something else than a retrace server does.
        case unavailable
        /// This machine's disk or a program on it failed.
        case system
        /// The password is missing or wrong, or the system refuses access to a file.
        case denied
    }

    package init(_ kind: Kind, _ reason: String, advice: String? = nil) {
        self.kind = kind
        self.reason = reason
        self.advice = advice
    }

    package var description: String { [reason, advice].compactMap { $0 }.joined(separator: "\n") }
}
