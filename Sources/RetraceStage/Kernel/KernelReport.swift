import CrashModel
import SystemPackage
import TaskStorage

/// All that is answered of a kernel's dump, in words and data.
struct KernelReport: Sendable {
    let findings: KernelFindings
    let rung: AnalysisRung
    let panic: String?
    let taint: KernelTaint?
    let modules: [KernelModule]
    /// The task that panicked, by `bt`.
    let stack: KernelStack?
    let backtrace: Backtrace
    let summary: RetraceSummary
    let crash: Crash
    let kernel: KernelDump
    let resolution: Resolution
    /// nil where there is none.
    let debugger: NEVRA?

    init(
        _ findings: KernelFindings, rung: AnalysisRung, crash: Crash, kernel: KernelDump, resolution: Resolution,
        chroot: Chroot, limits: RetraceLimits
    ) {
        self.findings = findings
        self.rung = rung
        self.crash = crash
        self.kernel = kernel
        self.resolution = resolution
        debugger = chroot.debugger?.package
        let log = findings.log?.text ?? ""
        let system = systemFacts(in: findings.outputs["sys"] ?? "")
        panic = Self.panic(system["PANIC"], kernel, log)
        taint = KernelTaint(system: findings.outputs["taint"] ?? "", log: log)
        let listed = KernelModule.modules(in: findings.outputs["mod"] ?? "")
        modules = listed
        let own =
            KernelStack.stacks(in: findings.outputs["bt"] ?? "", limits: limits).first
            ?? LogTrace(log, limits: limits).map(KernelStack.init)
        let active = KernelStack.stacks(in: findings.outputs["bt-a"] ?? "", limits: limits)
        stack = own
        let all = [own].compactMap(\.self) + active.filter { $0.task != own?.task }
        backtrace = Backtrace(
            threads: all.prefix(limits.threads).enumerated().map { index, stack in
                Self.thread(
                    stack, number: index + 1, crashed: stack.task == own?.task, modules: listed, crash: crash,
                    resolution: resolution)
            })
        let remarks =
            Self.remarks(findings, rung: rung, modules: listed) + crash.remarks
            + [kernel.incompleteness].compactMap(\.self) + resolution.remarks + chroot.remarks
        var seen: Set<String> = []
        summary = RetraceSummary(
            backtrace, panic: panic, rung: rung, debuggerTime: findings.debuggerTime,
            remarks: remarks.filter { seen.insert($0).inserted })
    }

    private static func panic(_ system: String?, _ kernel: KernelDump, _ log: String) -> String? {
        // crash quotes what the kernel said, and says itself when it knows no more.
        if let system, system.hasPrefix("\""), let end = system.dropFirst().lastIndex(of: "\"") {
            return String(system[system.index(after: system.startIndex)..<end])
        }
        return kernel.panic.map { safeText($0.utf8) } ?? panicLine(inLog: log)
    }

    private static func thread(
        _ stack: KernelStack, number: Int, crashed: Bool, modules: [KernelModule], crash: Crash, resolution: Resolution
    ) -> BacktraceThread {
        let image = resolution.modules.first
        let frames = stack.frames.enumerated().map { level, frame in
            let address = frame.address ?? 0
            let module = frame.module ?? modules.first { $0.contains(address) }?.name
            return BacktraceFrame(
                level: level, address: address, function: frame.function, sourceFile: frame.file,
                sourceLine: frame.line, module: module ?? "vmlinux",
                buildID: module == nil ? image?.module.buildID : nil,
                package: module == nil ? image?.binary?.nevra : nil, inlined: false, arguments: [], locals: [],
                offset: frame.offset)
        }
        return BacktraceThread(
            number: number, threadID: stack.pid, name: stack.command, crashed: crashed, frames: frames,
            endReason: stack.task == nil ? "These frames are from the kernel's log." : nil)
    }

    private static func remarks(
        _ findings: KernelFindings, rung: AnalysisRung, modules: [KernelModule]
    ) -> [String] {
        var remarks: [String] = []
        if rung != .full {
            let why = findings.refusals.first?.reason ?? ""
            remarks.append("This is not all that a dump can tell, but \(rung.meaning). \(why)")
        }
        if findings.log == nil { remarks.append("The kernel's log could not be read, or is empty.") }
        if let cut = findings.log?.remark { remarks.append(cut) }
        remarks += findings.remarks
        let bare = modules.filter { !$0.hasSymbols }.map(\.name)
        if !bare.isEmpty {
            remarks.append(
                "Modules without symbols (\(bare.count) of \(modules.count)): "
                    + bare.prefix(50).joined(separator: ", ") + (bare.count > 50 ? " and more." : "."))
        }
        for name in ["bt", "ps", "mod"] where rung != .minimal && rung != .logOnly && findings.outputs[name] == nil {
            remarks.append("crash printed nothing for the command \(name).")
        }
        return remarks
    }
}

extension RetraceSummary {
    init(_ backtrace: Backtrace, panic: String?, rung: AnalysisRung, debuggerTime: Duration, remarks: [String]) {
        let frames = backtrace.threads.flatMap(\.frames)
        let crashed = backtrace.threads.first { $0.crashed }
        let signature = CrashSignature(ofKernel: crashed)
        self.init(
            crashFunction: CrashSignature.meaningful(crashed?.frames ?? [], without: CrashSignature.isPanicMachinery)
                .lazy
                .compactMap(\.function).first,
            signal: nil, threads: backtrace.threads.count, frames: frames.count,
            symbolisedFrames: frames.count { $0.function != nil }, debuggerTime: debuggerTime,
            quality: BacktraceQuality(of: backtrace), signature: signature, exploitability: nil, remarks: remarks,
            panic: panic, rung: rung)
    }
}
