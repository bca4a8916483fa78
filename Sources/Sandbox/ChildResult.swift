/// How a child ended and what it printed.
package struct ChildResult: Hashable, Sendable {
    package let termination: ChildTermination
    /// At most ``SandboxLimits/outputBytes``.
    package let standardOutput: [UInt8]
    /// At most ``SandboxLimits/outputBytes``.
    package let standardError: [UInt8]
    /// From before the start to after the end.
    package let wallTime: Duration

    package init(
        termination: ChildTermination, standardOutput: [UInt8], standardError: [UInt8], wallTime: Duration
    ) {
        self.termination = termination
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.wallTime = wallTime
    }

    /// Whether the child exited by itself with status 0.
    package var succeeded: Bool { termination == .exited(0) }
}

/// Why a child is no more.
package enum ChildTermination: Hashable, Sendable, CustomStringConvertible {
    case exited(Int)
    /// A signal that we did not send. 9 nearly always means that the kernel was out of memory.
    ///
    /// bubblewrap reports a signal as exit status 128 + n, so a sandboxed program that exits with such a status by
    /// itself is read as one that a signal ended.
    case signalled(Int)
    /// Killed at the end of ``SandboxLimits/wallTime``.
    case timedOut
    /// Killed because it printed more than ``SandboxLimits/outputBytes``.
    case outputLimit

    package var description: String {
        switch self {
        case .exited(let status): "exited with status \(status)"
        case .signalled(let number): "was ended by signal \(number)"
        case .timedOut: "was stopped at its time limit"
        case .outputLimit: "was stopped because it printed too much"
        }
    }

    /// The status as a shell shows it: 128 + n for a signal; nil where we stopped the child.
    package var exitStatus: Int? {
        switch self {
        case .exited(let status): status
        case .signalled(let number): 128 + number
        case .timedOut, .outputLimit: nil
        }
    }
}
