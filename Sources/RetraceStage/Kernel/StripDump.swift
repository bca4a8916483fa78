package import CrashModel
import Glibc
import Sandbox
import SystemPackage
package import TaskStorage

/// What became of the wish to make a kept dump smaller.
package enum DumpStrip: Hashable, Sendable, CustomStringConvertible {
    /// The operator wants none, the dump is not kept, or it lacks those pages already.
    case notWanted
    /// It stays as it is; the sentence says why.
    case refused(String)
    case stripped(bytesBefore: Int, bytesAfter: Int)

    package var description: String {
        switch self {
        case .notWanted: "The dump stays as it is."
        case .refused(let reason): "The dump stays as it is: \(reason)"
        case .stripped(let before, let after):
            "Pages that say nothing of the crash were taken out of the dump: \(before >> 20) MiB became \(after >> 20) MiB."
        }
    }
}

/// Takes the pages of ``KernelAnalysis/stripLevel`` out of a dump that is kept, by makedumpfile(8) in a sandbox.
///
/// The stripped dump takes the place of the other in one step, and only when makedumpfile succeeded, crash recognises its
/// kernel and it saves ``KernelAnalysis/stripSavePercent``; whatever else was written is removed. To be called after the
/// analysis and before the crash root goes. Nothing here fails a task.
package func stripKeptDump(
    of crash: Crash, in chroot: Chroot, directory: TaskDirectory, limits: RetraceLimits
) async -> DumpStrip {
    let level = limits.kernel.stripLevel
    guard level > 0, let kernel = crash.kernel, level & ~(kernel.dumpLevel ?? 0) != 0,
        // A dump that lies elsewhere on the server is not ours to change.
        !kernel.file.hasPrefix("/")
    else { return .notWanted }
    do throws(StageError) {
        // Nor is one that is a link to such a file; what would take its place would only take space.
        guard try await onThread({ directory.keepsDump && !directory.hasLinkedDump }) else { return .notWanted }
        guard kernel.format != .vmware, kernel.memoryFile == nil else {
            return .refused("makedumpfile does not write VMware's format.")
        }
        guard let files = chroot.kernel, files.doubt == nil else {
            return .refused("without the kernel's own symbols nobody can tell which pages are to go.")
        }
        let tool = HostTool(program: HostTool.makedumpfile, user: limits.user)
        guard try await onThread({ tool.isInstalled }) else {
            return .refused("makedumpfile is not installed on the retracer's host.")
        }
        return try await strip(
            kernel, files, with: tool, in: chroot, directory: directory, limits: limits)
    } catch {
        let folder = SandboxFolder(ofSessionIn: directory, user: limits.user)
        _ = try? await onThread { folder.remove() }
        return .refused(error.reason)
    }
}

private func strip(
    _ kernel: KernelDump, _ files: KernelFiles, with tool: HostTool, in chroot: Chroot, directory: TaskDirectory,
    limits: RetraceLimits
) async throws(StageError) -> DumpStrip {
    let folder = SandboxFolder(ofSessionIn: directory, user: limits.user)
    let original = directory.vmcore(kernel)
    let stripped = folder.path.appending("stripped")
    let (command, sandbox, before) = try await onThread {
        let before = try ResultFile(at: original)?.byteCount ?? 0
        try folder.make()
        try limits.user.share(original)
        try folder.put([], at: stripped, writable: true)
        let mounts = try DumpMounts(of: kernel, in: directory)
        let sandbox = KernelSandbox(chroot, mounts, user: limits.user)
        let command = tool.command(
            [
                "-f", "-c", "-d", "\(limits.kernel.stripLevel)", "-x", "/.crash" + files.vmlinux, "--message-level",
                "4",
                mounts.dump, "/.stripped",
            ], in: folder,
            binds: [
                SandboxBind(FilePath(chroot.crashRoot), at: "/.crash"), SandboxBind(original, at: mounts.dump),
                SandboxBind(stripped, at: "/.stripped", writable: true),
            ])
        return (command, sandbox, before)
    }
    var bounds = limits.sandbox
    bounds.wallTime = limits.kernel.stripTime
    bounds.cpuSeconds = UInt64(clamping: limits.kernel.stripTime.components.seconds)
    // What becomes no smaller is of no use.
    bounds.fileBytes = UInt64(before)
    let result = try await sandboxed(command, limits: bounds, tool: "makedumpfile")
    guard result.succeeded else {
        try await onThread { folder.remove() }
        return .refused("makedumpfile \(result.termination)." + words(of: result))
    }
    // A last look by the program that will have to read it; the symbols are there only with it.
    guard var probe = sandbox else {
        try await onThread { folder.remove() }
        return .refused("there is no debugger that could look at what makedumpfile wrote.")
    }
    probe.binds = probe.binds.map { $0.target == probe.dump ? SandboxBind(stripped, at: $0.target) : $0 }
    let release = try await sandboxed(
        probe.command(["--osrelease", probe.dump], root: folder.root), limits: limits.sandbox, tool: "crash")
    let said = trimmed(safeText(release.standardOutput.prefix(200)))
    return try await onThread {
        defer { folder.remove() }
        let after = try ResultFile(at: stripped)?.byteCount ?? 0
        guard release.succeeded, said == kernel.release?.description ?? said, after > 0 else {
            return .refused("crash does not find the kernel in what makedumpfile wrote.")
        }
        guard (before - after) * 100 >= before * limits.kernel.stripSavePercent, after < before else {
            return .refused("stripping it would save less than \(limits.kernel.stripSavePercent) percent.")
        }
        try replace(original, with: stripped)
        return .stripped(bytesBefore: before, bytesAfter: after)
    }
}

/// Blocking. The bytes are on the disk before the old ones go.
private func replace(_ original: FilePath, with stripped: FilePath) throws(Errno) {
    guard let file = try ResultFile(at: stripped) else { throw Errno.noSuchFileOrDirectory }
    let failed = file.withDescriptor { descriptor -> Errno? in
        fchmod(descriptor.rawValue, 0o640) == 0 && fsync(descriptor.rawValue) == 0 ? nil : Errno(rawValue: errno)
    }
    if let failed { throw failed }
    guard rename(stripped.string, original.string) == 0 else { throw Errno(rawValue: errno) }
}

private func words(of result: ChildResult) -> String {
    let text = trimmed(safeText((result.standardOutput + result.standardError).suffix(300)))
    return text.isEmpty ? "" : " Its last words: " + text.split(separator: "\n").suffix(3).joined(separator: " / ")
}
