import CrashModel
import ELF
import Sandbox
import SystemPackage
import TaskStorage

/// Climbs down from all that crash(8) can tell of a dump to the bare log, until something holds.
struct KernelAnalyst: Sendable {
    let kernel: KernelDump
    let chroot: Chroot
    let directory: TaskDirectory
    let limits: RetraceLimits
    let sandbox: KernelSandbox
    let folder: SandboxFolder

    private var analysis: KernelAnalysis { limits.kernel }

    /// - Throws: ``StageError`` when nothing can be run or written; a dump of which nothing is learnt is no error here.
    func analyse(
        log: inout RetraceLog, progress: @Sendable (String) async -> Void
    ) async throws(StageError) -> KernelFindings {
        var findings = KernelFindings()
        if let found = try await dumpLog(
            in: directory, kernel: kernel, sandbox: sandbox, folder: folder, limits: limits, log: &log)
        {
            log.note(found.origin)
            try await publish(found, progress)
            findings.log = found
        }
        if let files = chroot.kernel {
            try await climb(files, &findings, log: &log, progress)
        } else {
            let name = kernel.release.map { " \($0)" } ?? ""
            for rung in [AnalysisRung.full, .zeroExcluded, .minimal] {
                findings.refuse(rung, "The debug symbols (vmlinux) of the kernel\(name) are not at hand.")
            }
        }
        if findings.rung == nil, findings.log != nil { findings.rung = .logOnly }
        return findings
    }

    private func climb(
        _ files: KernelFiles, _ findings: inout KernelFindings, log: inout RetraceLog,
        _ progress: @Sendable (String) async -> Void
    ) async throws(StageError) {
        let logText = findings.log?.wholeText
        let doubt = try await onThread { VmlinuxDoubt.of(files, in: chroot, kernel, log: logText) }
        if case .another(let reason) = doubt {
            findings.mismatched = true
            for rung in [AnalysisRung.full, .zeroExcluded, .minimal] { findings.refuse(rung, reason) }
            log.note(reason)
            return
        }
        let modules = try await onThread { moduleFiles(in: FilePath(chroot.crashRoot), files, loaded: kernel.modules) }
        let session = KernelSession(
            sandbox: sandbox, folder: folder, files: files, analysis: analysis, limits: limits.sandbox)
        await progress("\(chroot.debugger.package.name) \(chroot.debugger.package.versionText) reads the dump.")
        for rung in [AnalysisRung.full, .zeroExcluded, .minimal] where findings.rung == nil {
            if findings.lastFailure?.code == .crashTimeout, rung == .zeroExcluded {
                findings.refuse(rung, "It was not tried, because crash had not come to its prompt in time without it.")
                continue
            }
            if rung == .minimal, findings.log != nil {
                findings.refuse(rung, "It was not needed, because the log could be read from the dump alone.")
                continue
            }
            let commands =
                rung == .minimal
                ? [KernelCommand(name: "log", lines: ["log"])]
                : KernelCommand.all(log: findings.log == nil, moduleFiles: modules, operators: analysis.commands)
            var run = SessionRun(analyst: self, session: session, rung: rung)
            try await run.run(commands, &findings, log: &log, progress)
            if findings.mismatched { break }
        }
        if findings.rung != nil, !findings.mismatched {
            findings.verified = doubt == .verified
            if case .unverified(let reason) = doubt { findings.remarks.append(reason) }
        }
    }

    /// Makes the log a result before anything long begins.
    func publish(_ log: DumpLog, _ progress: @Sendable (String) async -> Void) async throws(StageError) {
        try await onThread {
            try makeResultsDirectory(in: directory)
            try write(log.parts, to: directory.kernelLog)
        }
        let lines = log.text.utf8.count { $0 == UInt8(ascii: "\n") }
        let panic = kernel.panic ?? panicLine(inLog: log.text)
        await progress(
            "The kernel's log is ready (\(lines) lines)"
                + (panic.map { ": \(safeText($0.utf8).prefix(200))" } ?? "."))
    }
}

/// What is known of a vmlinux before it is used.
enum VmlinuxDoubt: Hashable, Sendable {
    case verified
    case unverified(String)
    case another(String)

    /// The dump's build-id is compared here once more: what the job says of the files may have been true of others. Where
    /// there is none, the kernel's banner is compared with what the dump says. Blocking.
    ///
    /// - Parameter log: The kernel's log, where it is known.
    static func of(_ files: KernelFiles, in chroot: Chroot, _ kernel: KernelDump, log: String?) -> VmlinuxDoubt {
        let path = FilePath(chroot.crashRoot + files.vmlinux)
        let found = try? ELFFile(FileByteSource(path)).identity().buildID
        if let wanted = kernel.buildID, let found {
            guard wanted == found else {
                return .another(
                    "The vmlinux at hand (build-id \(found)) is of another kernel than the one that crashed (\(wanted))."
                )
            }
            return .verified
        }
        let doubt =
            files.doubt
            ?? "Nothing proves that this vmlinux is the kernel that crashed: one of them names no build-id."
        let banners = KernelBanner.banners(in: path)
        guard let banner = banners.last else { return .unverified(doubt) }
        if let release = kernel.release?.description, !banners.contains(where: { $0.release == release }) {
            return .another(
                "The vmlinux at hand is of Linux \(banner.release), and it was Linux \(release) that crashed.")
        }
        guard let logged = log.flatMap(KernelBanner.init(log:)) else { return .unverified(doubt) }
        guard banners.contains(logged) else {
            return .another(
                "The vmlinux at hand is of another build (\(banner.text.suffix(80))) of the kernel that crashed "
                    + "(\(logged.text.suffix(80))).")
        }
        return .unverified(doubt + " It has the version, build and compiler that the log names.")
    }
}

/// The debug files of modules below the directory that the job names, by the module's name: those that were loaded, where
/// that is known. Blocking.
func moduleFiles(in root: FilePath, _ files: KernelFiles, loaded: [String]?) -> [(name: String, path: String)] {
    guard let modules = files.modules, modules.hasPrefix("/") else { return [] }
    let wanted = loaded.map { Set($0.map(moduleName)) }
    var found: [String: String] = [:]
    var folders = [modules]
    var left = 100_000
    while let folder = folders.popLast(), left > 0 {
        for name in (try? TaskDirectory.names(in: FilePath(root.string + folder))) ?? [] {
            left -= 1
            let path = folder + "/" + name
            guard let suffix = [".ko.debug", ".ko"].first(where: name.hasSuffix) else {
                // Only folders can be listed, and no link is followed; any other name is one failed open(2).
                folders.append(path)
                continue
            }
            let module = moduleName(String(name.dropLast(suffix.count)))
            // The line is one of crash's commands.
            guard wanted?.contains(module) ?? true, path.utf8.allSatisfy(isPlain), module.utf8.allSatisfy(isPlain)
            else {
                continue
            }
            found[module] = path
        }
    }
    return found.sorted { $0.key < $1.key }.prefix(4096).map { (name: $0.key, path: $0.value) }
}

/// The kernel names modules with underscores, whatever their files have.
private func moduleName(_ text: String) -> String { String(text.map { $0 == "-" ? "_" : $0 }) }

private func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"):
        true
    default: "/._+~-".utf8.contains(byte)
    }
}
