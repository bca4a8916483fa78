package import CrashModel
import Sandbox

extension StageError.Code {
    /// gdb was stopped at its time limit before it had printed a frame.
    package static let gdbTimeout = Self("gdb-timeout")
    /// gdb ran out of memory before it had printed a frame.
    package static let gdbOutOfMemory = Self("gdb-out-of-memory")
    /// gdb printed more than the limit, and no frame was in it.
    package static let gdbOutputLimit = Self("gdb-output-limit")
    /// gdb itself failed: its exit status and last lines are in the error.
    package static let gdbFailed = Self("gdb-failed")
    /// gdb does not take the file for a core.
    package static let coreUnreadable = Self("core-unreadable")
    /// The core is cut off, and what is left holds no stack that gdb can find.
    package static let coreTruncated = Self("core-truncated")
    /// gdb read the core but found no stack in it.
    package static let noFrames = Self("no-frames")
    /// No sandbox can be made on this host.
    package static let sandboxUnavailable = Self("sandbox-unavailable")
}

/// Why a run of gdb in which not one frame was found is a failure, and what to do about it.
///
/// - Parameter truncation: Set when the core is known to end before its headers say it does.
func failure(of result: ChildResult, truncation: CoreTruncation?, limits: RetraceLimits) -> StageError {
    let lastLines = safeText(result.standardError.suffix(4096))
    func error(_ code: StageError.Code, _ reason: String, _ advice: String) -> StageError {
        StageError(
            .retrace, code, reason, advice: advice, exitStatus: result.termination.exitStatus,
            toolOutput: trimmed(lastLines))
    }
    let seconds = limits.sandbox.wallTime.components.seconds
    if result.termination == .timedOut {
        return error(
            .gdbTimeout, "gdb was stopped after \(seconds) s and had printed no frame.",
            "Raise the retracer's time limit if cores of this size are usual.")
    }
    if ranOutOfMemory(result) {
        return error(
            .gdbOutOfMemory, "gdb ran out of its \(limits.sandbox.memoryBytes >> 20) MiB of memory.",
            "Raise the retracer's memory limit if cores of this size are usual.")
    }
    if result.termination == .outputLimit {
        return error(
            .gdbOutputLimit, "gdb printed more than \(limits.textBytes >> 10) KiB without a single frame.",
            "The core is most likely damaged; send the program's maintainers another one.")
    }
    if let truncation, result.termination != .timedOut, !ranOutOfMemory(result) {
        return error(
            .coreTruncated,
            "The core is cut off after \(truncation.actualBytes) of \(truncation.expectedBytes) bytes, and gdb found no "
                + "stack in what is there.",
            "Make the core anew, whole: look at the limits of its size (ulimit -c, coredump.conf) and at the disk.")
    }
    if lastLines.contains("not a core dump") || lastLines.contains("file format not recognized") {
        return error(
            .coreUnreadable, "gdb does not take the uploaded file for a core dump.",
            "Upload the core as the kernel or gdb's gcore wrote it.")
    }
    if result.termination == .exited(0) || result.termination == .exited(1) {
        return error(
            .noFrames, "gdb read the core but found no stack in it.",
            "The core is most likely cut off or damaged; make it anew, whole.")
    }
    return error(
        .gdbFailed, "gdb \(result.termination) and had printed no frame.",
        "The log has gdb's last lines; retry with another version of the debugger if they name a bug of gdb.")
}

/// gdb's own words when malloc fails, or a SIGKILL that we did not send.
func ranOutOfMemory(_ result: ChildResult) -> Bool {
    if result.termination == .signalled(9) { return true }
    let lastLines = String(decoding: result.standardError.suffix(4096), as: UTF8.self)
    return [
        "virtual memory exhausted", "std::bad_alloc", "MemoryError", "Cannot allocate memory",
        // The loader's words, when not even gdb's libraries fit.
        "failed to map segment from shared object", "cannot allocate memory",
    ].contains(where: lastLines.contains)
}

/// What the service says when the debugger could not be started.
func failure(of error: SandboxError, tool: String = "gdb") -> StageError {
    switch error.code {
    case .cancelled:
        StageError(
            .retrace, .interrupted, "The retracer was stopped in the middle of the task.",
            disposition: .retry(after: .seconds(1)))
    case .invalidCommand:
        StageError(.retrace, .gdbFailed, "\(tool) cannot be started for this core: \(error.description)")
    case .programMissing, .setupFailed, .spawnFailed:
        StageError(
            .retrace, .sandboxUnavailable, "The sandbox for \(tool) could not be started: \(error.description)",
            advice: "The administrator of the retracer's host can mend it; the task is tried again.",
            disposition: .retry(after: .seconds(30)))
    }
}
