import CrashModel

/// What could be learnt from a kernel's dump, before it is put into words and files.
struct KernelFindings: Sendable {
    /// nil until something was reached.
    var rung: AnalysisRung?
    var refusals: [RungRefusal] = []
    /// By the name of each command that printed something: the beginning of that as ``safeText(_:)`` where this stage reads
    /// it, otherwise nothing. All of it waits in the session's folder.
    var outputs: [String: String] = [:]
    var log: DumpLog?
    /// What makes the result less than it could be, a sentence each.
    var remarks: [String] = []
    /// Whether the vmlinux has the build-id of the dump; nil when there is no vmlinux that was used.
    var verified: Bool?
    var debuggerTime: Duration = .zero
    /// The options with which crash reads the dump.
    var crashOptions: [String] = []
    /// Set where vmlinux belongs to another kernel.
    var mismatched = false
    /// How crash ended when no rung with symbols was reached, for a failure.
    var lastFailure: (code: StageError.Code, exitStatus: Int?, words: [String])?

    /// Makes as if a rung had not been tried.
    mutating func forget(_ rung: AnalysisRung) {
        refusals.removeAll { $0.rung == rung }
        mismatched = false
        lastFailure = nil
    }

    mutating func refuse(_ rung: AnalysisRung, _ reason: String) {
        refusals.append(RungRefusal(rung: rung, reason: reason))
    }
}
