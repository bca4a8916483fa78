package import CrashModel

extension StageError.Code {
    /// There is no vmlinux for the kernel, and its log cannot be read without.
    package static let vmlinuxMissing = Self("vmlinux-missing")
    /// No debugger reads the dumps of that kernel, and its log cannot be read without.
    package static let debuggerMissing = Self("debugger-missing")
    /// The vmlinux at hand is another kernel's, and the log cannot be read without the right one.
    package static let vmlinuxMismatch = Self("vmlinux-mismatch")
    /// crash finds no kernel in the dump, and no log.
    package static let vmcoreUnreadable = Self("vmcore-unreadable")
    /// crash was stopped before it came to its prompt, and there is no log.
    package static let crashTimeout = Self("crash-timeout")
    /// crash ran out of memory, and there is no log.
    package static let crashOutOfMemory = Self("crash-out-of-memory")
    /// A dump on the server that only its owner may read.
    package static let dumpUnreadable = Self("dump-unreadable")
}

/// Why a dump of which nothing at all could be learnt is a failure, and what to do about it.
func failure(of findings: KernelFindings, kernel: KernelDump, _ chroot: Chroot) -> StageError {
    let name = kernel.release.map { " \($0)" } ?? ""
    let words = findings.lastFailure?.words.suffix(10).joined(separator: "\n")
    func error(_ code: StageError.Code, _ reason: String, _ advice: String) -> StageError {
        StageError(
            .retrace, code, reason, advice: advice, exitStatus: findings.lastFailure?.exitStatus,
            toolOutput: words?.isEmpty == false ? words : nil)
    }
    if findings.mismatched {
        return error(
            .vmlinuxMismatch,
            "The symbols at hand are not those of the kernel\(name) that crashed, and its log cannot be read without.",
            "Have the operator mirror the debug package of exactly that kernel, then send the dump again.")
    }
    switch findings.lastFailure?.code {
    case nil where chroot.debugger == nil:
        return error(
            .debuggerMissing,
            "The log of the kernel\(name) cannot be read from the dump alone, and nothing reads more of it here. "
                + (chroot.remarks.first ?? ""),
            "When the operator has seen to that, send the dump again.")
    case nil:
        return error(
            .vmlinuxMissing,
            "There are no debug symbols for the kernel\(name), and its log cannot be read from the dump alone.",
            "Have the operator mirror the debug package of exactly that kernel, then send the dump again.")
    case .crashTimeout?:
        return error(
            .crashTimeout, "crash was stopped before it could tell anything of the dump, which has no readable log.",
            "Raise the retracer's time limit if dumps of this size are usual.")
    case .crashOutOfMemory?:
        return error(
            .crashOutOfMemory, "crash ran out of memory before it could tell anything of the dump.",
            "Raise the retracer's memory limit if dumps of this size are usual.")
    default:
        return error(
            .vmcoreUnreadable, "crash finds no kernel in the dump, and there is no log in it.",
            "The dump is most likely cut off or damaged; save the next one whole, and look at the disk that it goes to."
        )
    }
}
