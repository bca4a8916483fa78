package import CrashModel
import Glibc
import NIOPosix
import Sandbox
import SystemPackage
package import TaskStorage

/// Reads the kernel's log out of its dump, without any symbols, and leaves it in `results/log`: people have it within
/// moments, and it tells why the kernel stopped and often which modules were loaded.
///
/// The host's makedumpfile(8) does it, in the sandbox. Where there is none, or the dump does not describe its log, a later
/// stage reads it. Of a log above ``TaskStorage/KernelLog/maximumBytes`` the end is kept.
///
/// - Parameter makedumpfile: Where the program is, below `/usr`.
/// - Returns: The crash with what the log tells; the same where there is no log, and with a remark where it could not be
///   looked for.
/// - Throws: `CancellationError`.
package func readKernelLog(
    of crash: Crash, in directory: TaskDirectory, makedumpfile: String = "/usr/bin/makedumpfile"
) async throws -> Crash {
    // What VMware writes is not for makedumpfile.
    guard let kernel = crash.kernel, kernel.format != .vmware else { return crash }
    guard try await NIOThreadPool.singleton.runIfActive({ access(makedumpfile, X_OK) == 0 }) else {
        return crash.adding(
            "The kernel's log was not read on arrival but by the analysis: makedumpfile is not installed on the host of "
                + "ingest.")
    }
    let folder = SandboxFolder(directory.logSession, user: .nobody)
    do {
        let log = try await readLog(of: kernel, in: directory, folder, makedumpfile)
        try await NIOThreadPool.singleton.runIfActive { folder.remove() }
        return log.map { crash.adding($0) } ?? crash
    } catch {
        try? await NIOThreadPool.singleton.runIfActive { folder.remove() }
        try Task.checkCancellation()
        if error is CancellationError { throw error }
        return crash.adding("The kernel's log could not be read on arrival: \(error)\(error is Errno ? "." : "")")
    }
}

/// - Throws: `Errno` or ``SandboxError``, or `CancellationError`.
private func readLog(
    of kernel: KernelDump, in directory: TaskDirectory, _ folder: SandboxFolder, _ makedumpfile: String
) async throws -> KernelLog? {
    let command = try await NIOThreadPool.singleton.runIfActive {
        try prepare(kernel, directory, folder, makedumpfile)
    }
    let limits = SandboxLimits(
        memoryBytes: 2 << 30, cpuSeconds: 30, wallTime: .seconds(30), outputBytes: 1 << 20,
        fileBytes: UInt64(KernelLog.maximumSourceBytes))
    let result = try await runSandboxed(command, limits: limits)
    guard result.succeeded else { return nil }
    return try await NIOThreadPool.singleton.runIfActive {
        guard let log = try KernelLog(at: folder.log) else { return nil }
        try keep(log, in: directory)
        return log
    }
}

extension SandboxFolder {
    /// What makedumpfile writes.
    fileprivate var log: FilePath { path.appending("log") }
}

/// Makes the folder of the run, and lets the sandbox's user read the dump. Blocking.
private func prepare(
    _ kernel: KernelDump, _ directory: TaskDirectory, _ folder: SandboxFolder, _ makedumpfile: String
) throws(Errno) -> SandboxedCommand {
    try folder.make()
    try folder.put([], at: folder.log, writable: true)
    let dump = directory.vmcore(kernel)
    try folder.user.share(dump, isOurs: dump.starts(with: directory.path))
    return .hostProgram(
        [makedumpfile, "-f", "--dump-dmesg", "/.dump", "/.log"], root: folder.root,
        binds: [SandboxBind(dump, at: "/.dump"), SandboxBind(folder.log, at: "/.log", writable: true)],
        user: folder.user)
}

/// Makes the log a result, with a line before it where it is not whole. Blocking.
func keep(_ log: KernelLog, in directory: TaskDirectory) throws {
    guard mkdir(directory.results.string, 0o700) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    let new = directory.results.appending("log.new")
    let file = try FileDescriptor.open(
        new, .writeOnly, options: [.create, .truncate, .noFollow, .closeOnExec], permissions: [.ownerReadWrite])
    try file.closeAfter {
        if let notice = log.notice { _ = try file.writeAll("\(notice)\n".utf8) }
        _ = try file.writeAll(log.bytes)
    }
    guard rename(new.string, directory.kernelLog.string) == 0 else { throw Errno(rawValue: errno) }
}

extension Crash {
    fileprivate func adding(_ remark: String) -> Crash { adding([remark], to: kernel) }

    fileprivate func adding(_ log: KernelLog) -> Crash {
        adding([log.remark].compactMap(\.self), to: kernel?.adding(KernelLogFacts(log.bytes)))
    }

    private func adding(_ more: [String], to kernel: KernelDump?) -> Crash {
        Crash(
            kind: kind, architecture: architecture, reported: reported, executable: executable,
            commandLine: commandLine, signal: signal, processID: processID, threadCount: threadCount, modules: modules,
            truncation: truncation, remarks: remarks + more, kernel: kernel)
    }
}

extension KernelDump {
    fileprivate func adding(_ facts: KernelLogFacts) -> KernelDump {
        KernelDump(
            format: format, release: release, releaseEvidence: releaseEvidence, buildID: buildID, pageBytes: pageBytes,
            kaslrOffset: kaslrOffset, dumpLevel: dumpLevel, incompleteness: incompleteness, file: file,
            memoryFile: memoryFile, modules: modules, panic: facts.panic)
    }
}
