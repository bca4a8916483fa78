import CrashModel
import Sandbox
import SystemPackage
import TaskStorage

/// The kernel's log, from the dump alone.
struct DumpLog: Sendable {
    /// As ``safeText(_:)``, with something else than blanks in it.
    let text: String
    /// Where it is from, for the log of the task.
    let origin: String
}

/// Looks for the kernel's log without any symbols: where ingest has left it, else by crash, else by makedumpfile.
///
/// crash 8 reads it only of kernels before 5.10, makedumpfile where VMCOREINFO describes it; both take milliseconds.
///
/// - Throws: ``StageError`` when the sandbox does not work or the task was cancelled; not when there is no log.
func dumpLog(
    in directory: TaskDirectory, kernel: KernelDump, sandbox: KernelSandbox, folder: SandboxFolder,
    limits: RetraceLimits, log: inout RetraceLog
) async throws(StageError) -> DumpLog? {
    let bytes = limits.kernel.commandBytes
    let kept = try await onThread { readResult(directory.results.appending("log"), limit: bytes) }
    if let text = meaningful(kept) { return DumpLog(text: text, origin: "It was read when the dump came in.") }
    var tools = limits.sandbox
    tools.wallTime = limits.kernel.commandTime
    tools.outputBytes = bytes
    tools.fileBytes = UInt64(bytes)
    tools.memoryBytes = max(tools.memoryBytes, limits.kernel.memoryBytes)
    let crash = sandbox.command(["--log", sandbox.dump], root: folder.root)
    log.note(crash)
    let result = try await sandboxed(crash, limits: tools, tool: "crash")
    log.note(result, of: "crash")
    // Its messages go where its output goes.
    if result.succeeded, let text = meaningful(result.standardOutput), !text.hasPrefix("\ncrash: ") {
        return DumpLog(text: text, origin: "crash --log read it from the dump alone.")
    }
    let tool = HostTool(program: HostTool.makedumpfile, user: limits.user)
    guard kernel.format != .vmware, tool.isInstalled else { return nil }
    let file = folder.path.appending("dmesg")
    let makedumpfile = try await onThread {
        try folder.put([], at: file, writable: true)
        return tool.command(
            ["-f", "--dump-dmesg", sandbox.dump, "/.dmesg"], in: folder,
            binds: sandbox.binds.filter { $0.target.hasPrefix(KernelSandbox.dumpFolder) }
                + [SandboxBind(file, at: "/.dmesg", writable: true)])
    }
    log.note(makedumpfile)
    let dumped = try await sandboxed(makedumpfile, limits: tools, tool: "makedumpfile")
    log.note(dumped, of: "makedumpfile")
    let written = try await onThread { folder.take(file, limit: bytes) }
    guard dumped.succeeded, let text = meaningful(written) else { return nil }
    return DumpLog(text: text, origin: "makedumpfile read it from the dump alone.")
}

/// The text of a log; nil for one without a single line that says something.
func meaningful(_ log: [UInt8]) -> String? {
    // What was never written is zeros.
    guard log.contains(where: { $0 > 0x20 }) else { return nil }
    return safeText(log)
}

/// Runs a program, with this stage's words where that is not possible.
func sandboxed(
    _ command: SandboxedCommand, limits: SandboxLimits, tool: String
) async throws(StageError) -> ChildResult {
    do {
        return try await runSandboxed(command, limits: limits)
    } catch {
        throw failure(of: error, tool: tool)
    }
}

/// A result of the task, up to a limit; empty when there is none. Blocking.
func readResult(_ path: FilePath, limit: Int) -> [UInt8] {
    guard let file = try? ResultFile(at: path) else { return [] }
    return (try? file.read(at: 0, count: min(file.byteCount, limit))) ?? []
}
