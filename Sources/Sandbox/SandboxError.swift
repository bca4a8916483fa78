/// Why a child could not be run at all. How a child that ran has ended is no error: see ``ChildResult``.
package struct SandboxError: Error, Hashable, CustomStringConvertible {
    package let code: Code
    /// One sentence: what happened and what to do next.
    package let description: String

    /// What went wrong.
    package enum Code: Hashable, Sendable {
        /// A program of the host that is needed is not installed.
        case programMissing
        /// The host does not allow the namespaces, or a path of the sandbox cannot be mounted.
        case setupFailed
        /// The command cannot be run as it was given: a NUL in an argument, a path that is not absolute.
        case invalidCommand
        /// The calling task was cancelled; the child is dead.
        case cancelled
        /// The system refused a process or a pipe.
        case spawnFailed
    }

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
