/// Why a stage could not give its answer.
///
/// The sentences in it are shown to the public: they name no path of the server and no other task.
package struct StageError: Error, Hashable, Sendable, CustomStringConvertible {
    package let stage: Stage
    package let code: Code
    /// One plain sentence that says what happened.
    package let reason: String
    /// One sentence that says what the reader can do next; nil where nothing can be done.
    package let advice: String?
    package let disposition: Disposition
    /// The exit status of the tool that failed, or 128 + signal.
    package let exitStatus: Int?
    /// The last lines that the tool printed, at most 4 KiB.
    package let toolOutput: String?

    /// What went wrong, as a word that programs can compare: `not-an-archive`. Every stage adds its own.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    /// What becomes of the job.
    package enum Disposition: Hashable, Sendable {
        /// The cause is outside the task and may go away: try again after so long.
        case retry(after: Duration)
        /// Trying again gives the same.
        case failed
    }

    package init(
        _ stage: Stage, _ code: Code, _ reason: String, advice: String? = nil, disposition: Disposition = .failed,
        exitStatus: Int? = nil, toolOutput: String? = nil
    ) {
        self.stage = stage
        self.code = code
        self.reason = reason
        self.advice = advice
        self.disposition = disposition
        self.exitStatus = exitStatus
        self.toolOutput = toolOutput.map { String(decoding: $0.utf8.suffix(4096), as: UTF8.self) }
    }

    package var description: String {
        "\(stage.rawValue): \(code): \(reason)" + (exitStatus.map { " (exit status \($0))" } ?? "")
    }
}

extension StageError.Code {
    /// The job was started more often than the ledger allows.
    package static let tooManyAttempts = Self("too-many-attempts")
    /// The disk that the stage writes to is full.
    package static let diskFull = Self("disk-full")
    /// Something that no rule foresaw; the log has the cause.
    package static let internalError = Self("internal-error")
    /// The service was told to stop in the middle of the job.
    package static let interrupted = Self("interrupted")
}
