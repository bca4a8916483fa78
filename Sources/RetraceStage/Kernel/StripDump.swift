package import CrashModel
import Glibc
import Sandbox
package import SystemPackage
package import TaskStorage

/// What became of the wish to make a kept dump smaller.
package enum DumpStrip: Hashable, Sendable, CustomStringConvertible {
    /// The operator wants none, the dump is not kept, or it lacks those pages already.
    case notWanted
    /// It stays as it is; the sentence says why.
    case refused(String)
    /// What it took of the disk before and takes now.
    case stripped(bytesBefore: Int, bytesAfter: Int)

    package var description: String {
        switch self {
        case .notWanted: "The dump stays as it is."
        case .refused(let reason): "The dump stays as it is: \(reason)"
        case .stripped(let before, let after):
            "Pages that say nothing of the crash were taken out of the dump: of the disk it took \(before >> 20) MiB and takes "
                + "\(after >> 20) MiB."
        }
    }
}

/// Takes the pages of ``KernelAnalysis/stripLevel`` out of a dump that is kept, by makedumpfile(8) in a sandbox.
///
/// The stripped dump takes the place of the other in one step, and only when makedumpfile succeeded, crash recognises its
/// kernel and it saves ``KernelAnalysis/stripSavePercent`` of what the other takes of the disk, holes not counted; whatever
/// else was written is removed. To be called after the analysis and before the crash root goes. Nothing here fails a task.
///
/// - Parameter freeBytes: How much may still be written where a path is; the file system's answer unless a test says
///   otherwise.
package func stripKeptDump(
    of crash: Crash, in chroot: Chroot, directory: TaskDirectory, limits: RetraceLimits,
    freeBytes: @escaping @Sendable (FilePath) throws -> UInt64 = { try availableBytes(at: $0) }
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
            kernel, files, with: tool, in: chroot, directory: directory, limits: limits, freeBytes: freeBytes)
    } catch {
        let folder = SandboxFolder(ofSessionIn: directory, user: limits.user)
        _ = try? await onThread { folder.remove() }
        return .refused(error.reason)
    }
}

private func strip(
    _ kernel: KernelDump, _ files: KernelFiles, with tool: HostTool, in chroot: Chroot, directory: TaskDirectory,
    limits: RetraceLimits, freeBytes: @escaping @Sendable (FilePath) throws -> UInt64
) async throws(StageError) -> DumpStrip {
    let folder = SandboxFolder(ofSessionIn: directory, user: limits.user)
    let original = directory.vmcore(kernel)
    let kept = limits.kernel.stripFreeBytes
    let stripped = folder.path.appending("stripped")
    let (before, room) = try await onThread {
        let free = try freeBytes(directory.path)
        return (try ResultFile(at: original)?.allocatedBytes ?? 0, Int(clamping: free) - Int(clamping: kept))
    }
    // What is larger does not take the place of the other.
    let most = before / 100 * (100 - limits.kernel.stripSavePercent)
    let tooLarge = DumpStrip.refused("stripping it would save less than \(limits.kernel.stripSavePercent) percent.")
    let tooFull = DumpStrip.refused("the disk of the tasks has no space in which to write it anew.")
    guard room > 0 else { return tooFull }
    let (command, sandbox) = try await onThread {
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
        return (command, sandbox)
    }
    var bounds = limits.sandbox
    bounds.wallTime = limits.kernel.stripTime
    bounds.cpuSeconds = UInt64(clamping: limits.kernel.stripTime.components.seconds)
    let bound = min(most, room)
    bounds.fileBytes = UInt64(bound)
    let result = try await sandboxed(command, limits: bounds, tool: "makedumpfile")
    guard result.succeeded else {
        let written = try await onThread {
            defer { folder.remove() }
            return try ResultFile(at: stripped)?.byteCount ?? 0
        }
        if result.termination == .signalled(Int(SIGXFSZ)) || written >= bound {
            return room < most ? tooFull : tooLarge
        }
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
        try makeDurable(stripped)
        let after = try ResultFile(at: stripped)?.allocatedBytes ?? 0
        guard release.succeeded, said == kernel.release?.description ?? said, after > 0 else {
            return .refused("crash does not find the kernel in what makedumpfile wrote.")
        }
        guard after <= most, after < before else { return tooLarge }
        guard rename(stripped.string, original.string) == 0 else { throw Errno(rawValue: errno) }
        return .stripped(bytesBefore: before, bytesAfter: after)
    }
}

/// Blocking. The bytes are on the disk before the old ones go, and before they are counted: not every file system knows
/// earlier what they take.
private func makeDurable(_ stripped: FilePath) throws(Errno) {
    guard let file = try ResultFile(at: stripped) else { throw Errno.noSuchFileOrDirectory }
    let failed = file.withDescriptor { descriptor -> Errno? in
        fchmod(descriptor.rawValue, 0o640) == 0 && fsync(descriptor.rawValue) == 0 ? nil : Errno(rawValue: errno)
    }
    if let failed { throw failed }
}

private func words(of result: ChildResult) -> String {
    let text = trimmed(safeText((result.standardOutput + result.standardError).suffix(300)))
    return text.isEmpty ? "" : " Its last words: " + text.split(separator: "\n").suffix(3).joined(separator: " / ")
}
