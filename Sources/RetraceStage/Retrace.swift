package import CrashModel
import NIOPosix
import Sandbox
import SystemPackage
package import TaskStorage

/// Runs gdb over the core of a task, or crash(8) over the dump of a kernel, and writes `retrace-log`, `backtrace.json`,
/// named results (`results/exploitable`; of a kernel `results/log`, `results/sys` and so on) and, last, `backtrace`.
///
/// Every file appears whole or not at all, and doing it again replaces them. A run that was cut short but found frames
/// is a success with remarks.
///
/// - Parameters:
///   - crash: What ingest read in the core.
///   - resolution: Where its modules came from.
///   - chroot: The crash root and the debugger root, on this host.
///   - directory: The task's; the core is in it.
///   - progress: Is told a sentence when something begins.
/// - Throws: ``StageError`` with one of the codes of this stage; `retrace-log` is written then, too.
package func retrace(
    _ crash: Crash, _ resolution: Resolution, in chroot: Chroot, directory: TaskDirectory, limits: RetraceLimits,
    progress: @Sendable (String) async -> Void = { _ in }
) async throws(StageError) -> RetraceSummary {
    var log = RetraceLog()
    log.note(resolution)
    for remark in chroot.remarks { log.note(remark) }
    do throws(StageError) {
        switch (crash.kind, crash.kernel) {
        case (.coredump, _):
            return try await retraceProcess(
                crash, resolution, in: chroot, directory: directory, limits: limits, log: &log, progress: progress)
        case (.vmcore, let kernel?):
            return try await retraceKernel(
                crash, kernel, resolution, in: chroot, directory: directory, limits: limits, log: &log,
                progress: progress)
        case (.vmcore, nil):
            throw StageError(.retrace, .internalError, "The job is for a kernel's dump but says nothing of the kernel.")
        }
    } catch {
        log.note(error.description)
        if let output = error.toolOutput { log.note(output) }
        let logText = log.text
        do throws(StageError) {
            try await onThread {
                unlinkFrames(of: directory)
                SandboxFolder(ofSessionIn: directory, user: limits.user).remove()
                try write(Array(logText.utf8), to: directory.log)
            }
        } catch {
            // The failure itself says more than that its log could not be written.
        }
        throw error
    }
}

/// Runs gdb over the core of a process.
private func retraceProcess(
    _ crash: Crash, _ resolution: Resolution, in chroot: Chroot, directory: TaskDirectory, limits: RetraceLimits,
    log: inout RetraceLog, progress: @Sendable (String) async -> Void
) async throws(StageError) -> RetraceSummary {
    guard let debugger = chroot.debugger else {
        throw StageError(.retrace, .internalError, "The job for a program's core names no debugger.")
    }
    let command = gdbCommand(
        for: crash, resolution, in: chroot, debugger, coredump: directory.coredump, frames: directory.frames,
        script: PackageResources.frames_py, user: limits.user)
    log.note(command)
    try await onThread { try prepareFiles(in: directory, user: limits.user) }
    await progress("\(debugger.package.name) \(debugger.package.versionText) reads the core.")
    let result: ChildResult
    do throws(SandboxError) {
        result = try await runSandboxed(command, limits: limits.sandbox)
    } catch {
        log.note(error.description)
        throw failure(of: error)
    }
    log.note(result)
    let (report, json) = try await onThread {
        let report = try Report(
            result, readFrames(in: directory, limits: limits), fault: readFault(in: directory), crash: crash,
            resolution: resolution, chroot: chroot, limits: limits)
        return (report, try report.json())
    }
    for remark in report.summary.remarks { log.note(remark) }
    let logText = log.text
    try await onThread {
        try write(Array(logText.utf8), to: directory.log)
        try write(json, to: directory.backtraceJSON)
        try makeResultsDirectory(in: directory)
        try write(
            Array(exploitabilityText(report.exploitability).utf8), to: directory.results.appending("exploitable"))
        try write(Array(report.text.utf8), to: directory.backtrace)
    }
    return report.summary
}

/// Does blocking or long work on a thread that may be kept waiting.
func onThread<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
) async throws(StageError) -> Value {
    do {
        return try await NIOThreadPool.singleton.runIfActive(work)
    } catch let error as StageError {
        throw error
    } catch Errno.noSpace {
        throw StageError(
            .retrace, .diskFull, "The disk that holds the tasks is full.", disposition: .retry(after: .seconds(60)))
    } catch is CancellationError {
        throw failure(of: SandboxError(.cancelled, "The task was cancelled."))
    } catch {
        throw StageError(.retrace, .internalError, "The files of the task cannot be read or written: \(error).")
    }
}
