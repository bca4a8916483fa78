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
/// stage reads it.
///
/// - Returns: The crash with what the log tells; the same where there is no log.
/// - Throws: `CancellationError`.
package func readKernelLog(of crash: Crash, in directory: TaskDirectory) async throws -> Crash {
    guard let kernel = crash.kernel, kernel.format != .vmware, access(makedumpfile, X_OK) == 0 else { return crash }
    let folder = SandboxFolder(directory.path.appending("log.partial"), user: .nobody)
    let command: SandboxedCommand
    do {
        command = try await NIOThreadPool.singleton.runIfActive { try prepare(kernel, directory, folder) }
    } catch let error as Errno {
        try await NIOThreadPool.singleton.runIfActive { folder.remove() }
        return crash.adding("The kernel's log could not be read on arrival: \(error).")
    }
    let limits = SandboxLimits(
        memoryBytes: 2 << 30, cpuSeconds: 30, wallTime: .seconds(30), outputBytes: 1 << 20, fileBytes: UInt64(logBytes))
    let result: ChildResult
    do throws(SandboxError) {
        result = try await runSandboxed(command, limits: limits)
    } catch {
        try? await NIOThreadPool.singleton.runIfActive { folder.remove() }
        try Task.checkCancellation()
        return crash.adding("The kernel's log could not be read on arrival: \(error)")
    }
    let log = try await NIOThreadPool.singleton.runIfActive { () -> [UInt8] in
        defer { folder.remove() }
        guard result.succeeded, let file = try ResultFile(at: folder.path.appending("log")) else { return [] }
        let log = try file.read(at: 0, count: min(file.byteCount, logBytes))
        // What was never written is zeros.
        guard log.contains(where: { $0 > 0x20 }) else { return [] }
        try keep(log, in: directory)
        return log
    }
    return log.isEmpty ? crash : crash.adding(KernelLogFacts(log))
}

private let makedumpfile = "/usr/bin/makedumpfile"
/// More than any kernel's buffer (CONFIG_LOG_BUF_SHIFT is at most 25).
private let logBytes = 64 << 20

/// Makes the folder of the run, and lets the sandbox's user read the dump.
private func prepare(
    _ kernel: KernelDump, _ directory: TaskDirectory, _ folder: SandboxFolder
) throws(Errno) -> SandboxedCommand {
    try folder.make()
    let log = folder.path.appending("log")
    try folder.put([], at: log, writable: true)
    let dump = directory.vmcore(kernel)
    try folder.user.share(dump, isOurs: dump.starts(with: directory.path))
    return .hostProgram(
        [makedumpfile, "-f", "--dump-dmesg", "/.dump", "/.log"], root: folder.root,
        binds: [SandboxBind(dump, at: "/.dump"), SandboxBind(log, at: "/.log", writable: true)], user: folder.user)
}

private func keep(_ log: [UInt8], in directory: TaskDirectory) throws {
    guard mkdir(directory.results.string, 0o700) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    let new = directory.results.appending("log.new")
    let file = try FileDescriptor.open(
        new, .writeOnly, options: [.create, .truncate, .noFollow, .closeOnExec], permissions: [.ownerReadWrite])
    try file.closeAfter { _ = try file.writeAll(log) }
    guard rename(new.string, directory.results.appending("log").string) == 0 else { throw Errno(rawValue: errno) }
}

extension Crash {
    fileprivate func adding(_ remark: String) -> Crash {
        Crash(
            kind: kind, architecture: architecture, reported: reported, executable: executable,
            threadCount: threadCount, modules: modules, truncation: truncation, remarks: remarks + [remark],
            kernel: kernel)
    }

    fileprivate func adding(_ facts: KernelLogFacts) -> Crash {
        Crash(
            kind: kind, architecture: architecture, reported: reported, executable: executable,
            threadCount: threadCount, modules: modules, truncation: truncation, remarks: remarks,
            kernel: kernel?.adding(facts))
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
