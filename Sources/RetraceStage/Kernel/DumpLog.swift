import CrashModel
import Sandbox
import SystemPackage
import TaskStorage

/// The kernel's log, from the dump alone.
struct DumpLog: Sendable {
    /// As ``safeText(_:)``, at most ``TaskStorage/KernelLog/maximumBytes`` of it, with something else than blanks in it.
    let text: String
    /// What the first line says where this is the end of the log only; what the result's remark says then.
    let notice: String?
    let remark: String?
    /// Where it is from, for the log of the task.
    let origin: String

    init(_ log: KernelLog, origin: String) {
        // What is made visible takes more room.
        let end = safeEnd(of: log.bytes, limit: KernelLog.maximumBytes)
        text = end.text
        let whole = KernelLog([], omittedBytes: log.omittedBytes + end.omittedBytes)
        notice = whole.notice
        remark = whole.remark
        self.origin = origin
    }

    /// The text where it is the whole log: of an end the first lines may be any program's.
    var wholeText: String? { notice == nil ? text : nil }

    /// The text with its first line; nothing of it is copied.
    var parts: [Substring] {
        guard let notice else { return [text[...]] }
        return ["\(notice)\n", text[...]]
    }
}

/// Looks for the kernel's log without any symbols: where ingest has left it, else by crash, else by makedumpfile.
///
/// - Parameter sandbox: nil where there is no debugger.
/// crash 8 reads it only of kernels before 5.10, makedumpfile where VMCOREINFO describes it; both take milliseconds.
///
/// - Throws: ``StageError`` when the sandbox does not work or the task was cancelled; not when there is no log.
func dumpLog(
    in directory: TaskDirectory, kernel: KernelDump, _ mounts: DumpMounts, sandbox: KernelSandbox?,
    folder: SandboxFolder, limits: RetraceLimits, log: inout RetraceLog
) async throws(StageError) -> DumpLog? {
    if let kept = try await onThread({ keptLog(in: directory) }) {
        return DumpLog(kept, origin: "It was read when the dump came in.")
    }
    var tools = limits.sandbox
    tools.wallTime = limits.kernel.commandTime
    tools.outputBytes = KernelLog.maximumBytes
    tools.fileBytes = UInt64(KernelLog.maximumSourceBytes)
    tools.memoryBytes = max(tools.memoryBytes, limits.kernel.memoryBytes)
    if let sandbox {
        let crash = sandbox.command(["--log", sandbox.dump], root: folder.root)
        log.note(crash)
        let result = try await sandboxed(crash, limits: tools, tool: "crash")
        log.note(result, of: "crash")
        // Its messages go where its output goes.
        if result.succeeded, hasWords(result.standardOutput), !result.standardOutput.starts(with: "\ncrash: ".utf8) {
            return DumpLog(KernelLog(result.standardOutput), origin: "crash --log read it from the dump alone.")
        }
    }
    let tool = HostTool(program: HostTool.makedumpfile, user: limits.user)
    guard kernel.format != .vmware, tool.isInstalled else { return nil }
    let file = folder.path.appending("dmesg")
    let makedumpfile = try await onThread {
        try folder.put([], at: file, writable: true)
        return tool.command(
            ["-f", "--dump-dmesg", mounts.dump, "/.dmesg"], in: folder,
            binds: mounts.binds + [SandboxBind(file, at: "/.dmesg", writable: true)])
    }
    log.note(makedumpfile)
    let dumped = try await sandboxed(makedumpfile, limits: tools, tool: "makedumpfile")
    log.note(dumped, of: "makedumpfile")
    guard dumped.succeeded, let written = try await onThread({ try KernelLog(at: file) }) else { return nil }
    return DumpLog(written, origin: "makedumpfile read it from the dump alone.")
}

/// What is in `results/log` already; nil when that cannot be read. Blocking.
func keptLog(in directory: TaskDirectory) -> KernelLog? { try? KernelLog(at: directory.kernelLog) }

/// How the log in `results/log` begins; nil where there is none, or only its end is kept. Blocking.
func beginningOfKeptLog(in directory: TaskDirectory) -> String? {
    guard let log = keptLog(in: directory), log.omittedBytes == 0 else { return nil }
    return safeText(log.bytes.prefix(1 << 20))
}

/// Whether there is anything but blanks and zeros in an output: what was never written is zeros.
func hasWords(_ output: some Collection<UInt8>) -> Bool { output.contains { $0 > 0x20 } }

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
