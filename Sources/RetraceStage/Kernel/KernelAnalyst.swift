import CrashModel
import Sandbox
import SystemPackage
import TaskStorage

/// Climbs down from all that crash(8) can tell of a dump to the bare log, until something holds.
struct KernelAnalyst: Sendable {
    let kernel: KernelDump
    let architecture: Architecture
    let chroot: Chroot
    let directory: TaskDirectory
    let limits: RetraceLimits
    let mounts: DumpMounts
    let folder: SandboxFolder

    private var analysis: KernelAnalysis { limits.kernel }

    /// - Throws: ``StageError`` when nothing can be run or written; a dump of which nothing is learnt is no error here.
    func analyse(
        log: inout RetraceLog, progress: @Sendable (String) async -> Void
    ) async throws(StageError) -> KernelFindings {
        var findings = KernelFindings()
        let sandbox = KernelSandbox(chroot, mounts, user: limits.user)
        if let found = try await dumpLog(
            in: directory, kernel: kernel, mounts, sandbox: sandbox, folder: folder, limits: limits, log: &log)
        {
            log.note(found.origin)
            try await publish(found, progress)
            findings.log = found
        }
        if let sandbox, let files = chroot.kernel {
            try await climb(files, in: sandbox, &findings, log: &log, progress)
        } else {
            let name = kernel.release.map { " \($0)" } ?? ""
            let reason =
                sandbox == nil
                ? "There is no debugger for the dumps of this kernel."
                : "The debug symbols (vmlinux) of the kernel\(name) are not at hand."
            for rung in [AnalysisRung.full, .zeroExcluded, .minimal] { findings.refuse(rung, reason) }
        }
        if findings.rung == nil, findings.log != nil { findings.rung = .logOnly }
        return findings
    }

    private func climb(
        _ files: KernelFiles, in sandbox: KernelSandbox, _ findings: inout KernelFindings, log: inout RetraceLog,
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
        var session = KernelSession(
            sandbox: sandbox, folder: folder, files: files, analysis: analysis, limits: limits.sandbox)
        if let crash = chroot.debugger?.package { await progress("\(crash.name) \(crash.versionText) reads the dump.") }
        var hasTriedOptions = false
        for rung in [AnalysisRung.full, .zeroExcluded, .minimal] where findings.rung == nil {
            if findings.lastFailure?.code == .crashTimeout, rung == .zeroExcluded {
                findings.refuse(rung, "It was not tried, because crash had not come to its prompt in time without it.")
                continue
            }
            if rung == .minimal, findings.log != nil {
                findings.refuse(rung, "It was not needed, because the log could be read from the dump alone.")
                continue
            }
            try await reach(rung, modules, in: session, &findings, log: &log, progress)
            if !hasTriedOptions, findings.rung == nil, let options = machineOptions(after: findings) {
                hasTriedOptions = true
                let before = findings
                session.options = options
                findings.forget(rung)
                findings.remarks.append("crash was told \(options.joined(separator: " ")), as such kernels may need.")
                try await reach(rung, modules, in: session, &findings, log: &log, progress)
                if findings.rung == nil {
                    // It was something else, and a wrong base would keep the other rungs from it.
                    session.options = []
                    let (found, time) = (findings.log, findings.debuggerTime)
                    findings = before
                    findings.log = found
                    findings.debuggerTime = time
                }
            }
            if findings.mismatched { break }
        }
        if findings.rung != nil, !findings.mismatched {
            findings.crashOptions = session.options + (findings.rung?.options ?? [])
            findings.verified = doubt == .verified
            if case .unverified(let reason) = doubt { findings.remarks.append(reason) }
        }
    }

    /// Runs all commands of a rung.
    private func reach(
        _ rung: AnalysisRung, _ modules: [ModuleFile], in session: KernelSession, _ findings: inout KernelFindings,
        log: inout RetraceLog, _ progress: @Sendable (String) async -> Void
    ) async throws(StageError) {
        var commands = [KernelCommand(name: "log", lines: ["log"])]
        if rung != .minimal {
            var modules = modules
            if kernel.modules == nil, modules.count > mostLoadedModules {
                guard try await isReached(rung, in: session, &modules, &findings, log: &log, progress) else { return }
            }
            commands = KernelCommand.all(
                log: findings.log == nil, moduleFiles: modules, operators: analysis.commands)
        }
        var run = SessionRun(analyst: self, session: session, rung: rung)
        try await run.run(commands, &findings, log: &log, progress)
    }

    /// Has crash list the modules, in a session of its own, since what a session does is written down before it begins.
    ///
    /// - Parameter modules: Those of the package; afterwards those that crash lists.
    /// - Returns: Whether crash reads the dump on this rung; otherwise the findings say why not.
    private func isReached(
        _ rung: AnalysisRung, in session: KernelSession, _ modules: inout [ModuleFile],
        _ findings: inout KernelFindings, log: inout RetraceLog, _ progress: @Sendable (String) async -> Void
    ) async throws(StageError) -> Bool {
        var listed = KernelFindings()
        var run = SessionRun(analyst: self, session: session, rung: rung)
        let commands = [("sys", "sys"), ("mod", "mod")].map {
            KernelCommand(name: $0.0, lines: [$0.1], isPublished: false, isRead: true)
        }
        try await run.run(commands, &listed, log: &log, progress)
        findings.debuggerTime += listed.debuggerTime
        guard listed.rung != nil else {
            findings.refusals += listed.refusals
            findings.lastFailure = listed.lastFailure
            findings.mismatched = listed.mismatched
            return false
        }
        let names = Set(KernelModule.modules(in: listed.outputs["mod"] ?? "").map { moduleName($0.name) })
        if names.isEmpty {
            findings.remarks += listed.remarks
            findings.remarks.append("crash lists no modules, so none has symbols.")
        }
        modules = modules.filter { names.contains($0.name) }
        return true
    }

    /// What crash needs to be told of some kernels when it finds no way into their dumps by itself: those of Enterprise
    /// Linux 5, when they were loaded at 2 MiB (`--machdep` of crash(8)).
    private func machineOptions(after findings: KernelFindings) -> [String]? {
        guard architecture == .x86_64, kernel.release?.description.contains("el5") == true,
            findings.lastFailure?.exitStatus == 1
        else {
            return nil
        }
        return Self.baseOf2MiB
    }

    private static let baseOf2MiB = ["--machdep", "phys_base=0x200000"]

    /// Every option that an analysis may find to be needed.
    static let everyOption = Set(AnalysisRung.allCases.flatMap(\.options) + baseOf2MiB)

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
