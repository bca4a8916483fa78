import CrashModel
import Sandbox
import SystemPackage
import TaskStorage

/// Runs crash(8) over the dump of a kernel and writes `retrace-log`, `results/`, `backtrace.json` and, last, `backtrace`.
///
/// The kernel's log is written, and told of, before anything long begins.
///
/// - Throws: ``StageError`` when nothing could be learnt, not even the log.
func retraceKernel(
    _ crash: Crash, _ kernel: KernelDump, _ resolution: Resolution, in chroot: Chroot, directory: TaskDirectory,
    limits: RetraceLimits, log: inout RetraceLog, progress: @Sendable (String) async -> Void
) async throws(StageError) -> RetraceSummary {
    let folder = SandboxFolder(ofSessionIn: directory, user: limits.user)
    let mounts = try await onThread {
        try folder.make()
        do {
            for file in directory.dumps(of: kernel) {
                try limits.user.share(file, isOurs: file.starts(with: directory.path))
            }
        } catch Errno.permissionDenied {
            throw StageError(
                .retrace, .dumpUnreadable, "The debugger's user may not read the dump that was named on the server.",
                advice: "Make the file readable for everybody, or send the dump instead of naming it.")
        }
        return try DumpMounts(of: kernel, in: directory)
    }
    let analyst = KernelAnalyst(
        kernel: kernel, architecture: crash.architecture, chroot: chroot, directory: directory, limits: limits,
        mounts: mounts, folder: folder)
    let findings = try await analyst.analyse(log: &log, progress: progress)
    for refusal in findings.refusals { log.note("not \(refusal.rung.rawValue): \(refusal.reason)") }
    guard let rung = findings.rung else { throw failure(of: findings, kernel: kernel, chroot) }
    log.note("reached \(rung.rawValue): \(rung.meaning)")
    let report = try await onThread {
        KernelReport(
            findings, rung: rung, crash: crash, kernel: kernel, resolution: resolution, chroot: chroot, limits: limits)
    }
    for remark in report.summary.remarks { log.note(remark) }
    let logText = log.text
    let published = Set(
        KernelCommand.all(log: true, moduleFiles: [], operators: limits.kernel.commands).filter(\.isPublished).map(
            \.name))
    try await onThread {
        let json = try json(of: report)
        try makeResultsDirectory(in: directory)
        for name in findings.outputs.keys where published.contains(name) {
            try folder.publish(name, as: directory.results.appending(name))
        }
        folder.remove()
        try write(Array(logText.utf8), to: directory.log)
        try write(json, to: directory.backtraceJSON)
        try write(report.parts, to: directory.backtrace)
    }
    return report.summary
}

private func json(of report: KernelReport) throws(StageError) -> [UInt8] {
    do {
        return try BacktraceJSON(report).encoded()
    } catch {
        throw StageError(.retrace, .internalError, "The backtrace cannot be written as JSON: \(error).")
    }
}
