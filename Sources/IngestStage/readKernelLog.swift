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
    let folder = directory.path.appending("log.partial")
    let command: SandboxedCommand
    do {
        command = try await NIOThreadPool.singleton.runIfActive { try prepare(kernel, directory, folder) }
    } catch let error as Errno {
        return crash.adding("The kernel's log could not be read on arrival: \(error).")
    }
    let limits = SandboxLimits(
        memoryBytes: 2 << 30, cpuSeconds: 30, wallTime: .seconds(30), outputBytes: 1 << 20, fileBytes: UInt64(logBytes))
    let result: ChildResult
    do throws(SandboxError) {
        result = try await runSandboxed(command, limits: limits)
    } catch {
        try? await NIOThreadPool.singleton.runIfActive { clear(folder) }
        try Task.checkCancellation()
        return crash.adding("The kernel's log could not be read on arrival: \(error)")
    }
    let log = try await NIOThreadPool.singleton.runIfActive { () -> [UInt8] in
        defer { clear(folder) }
        guard result.succeeded, let file = try ResultFile(at: folder.appending("log")) else { return [] }
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
private func prepare(_ kernel: KernelDump, _ directory: TaskDirectory, _ folder: FilePath) throws -> SandboxedCommand {
    let user = SandboxUser.nobody
    clear(folder)
    let root = folder.appending("root")
    for path in [folder, root] {
        guard mkdir(path.string, 0o711) == 0, chmod(path.string, 0o711) == 0 else { throw Errno(rawValue: errno) }
    }
    let log = folder.appending("log")
    let file = try FileDescriptor.open(
        log, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
    defer { try? file.close() }
    let dump = directory.vmcore(kernel)
    if geteuid() == 0 {
        guard fchown(file.rawValue, 0, user.groupID) == 0, fchmod(file.rawValue, 0o660) == 0 else {
            throw Errno(rawValue: errno)
        }
        try share(dump, with: user)
    }
    return .hostProgram(
        [makedumpfile, "-f", "--dump-dmesg", "/.dump", "/.log"], root: root,
        binds: [SandboxBind(dump, at: "/.dump"), SandboxBind(log, at: "/.log", writable: true)], user: user)
}

/// Gives the dump to the sandbox user's group, unless it is a file of an operator, whose mode is their business.
private func share(_ dump: FilePath, with user: SandboxUser) throws {
    let file = try FileDescriptor.open(dump, .readOnly, options: [.noFollow, .closeOnExec, .nonBlocking])
    defer { try? file.close() }
    var facts = stat()
    guard fstat(file.rawValue, &facts) == 0 else { throw Errno(rawValue: errno) }
    guard facts.st_mode & S_IFMT == S_IFREG, facts.st_nlink == 1, facts.st_mode & S_IROTH == 0 else { return }
    guard fchown(file.rawValue, 0, user.groupID) == 0, fchmod(file.rawValue, 0o640) == 0 else {
        throw Errno(rawValue: errno)
    }
}

private func keep(_ log: [UInt8], in directory: TaskDirectory) throws {
    guard mkdir(directory.results.string, 0o700) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    let new = directory.results.appending("log.new")
    let file = try FileDescriptor.open(
        new, .writeOnly, options: [.create, .truncate, .noFollow, .closeOnExec], permissions: [.ownerReadWrite])
    try file.closeAfter { _ = try file.writeAll(log) }
    guard rename(new.string, directory.results.appending("log").string) == 0 else { throw Errno(rawValue: errno) }
}

/// Removes the folder of a run, this one's or that of a worker that was killed.
private func clear(_ folder: FilePath) {
    for name in ["bin", "sbin", "lib", "lib32", "lib64"] { unlink(folder.appending("root").appending(name).string) }
    unlink(folder.appending("log").string)
    rmdir(folder.appending("root").string)
    rmdir(folder.string)
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
