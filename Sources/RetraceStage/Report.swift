import Coredumps
import CrashModel
import ELF
import Glibc
import Sandbox
import SystemPackage
import TaskStorage

/// All that comes out of one run of gdb, not yet written.
struct Report: Sendable {
    let text: String
    let backtrace: Backtrace
    let summary: RetraceSummary
    let exploitability: Exploitability
    private let crash: Crash
    private let resolution: Resolution
    private let debugger: NEVRA?

    /// - Parameter fault: What the core itself says of the signal; nil when it cannot be read.
    /// - Throws: ``StageError`` when there is no frame in what gdb printed or wrote.
    init(
        _ result: ChildResult, _ lines: [UInt8], fault: CoreFault?, crash: Crash, resolution: Resolution,
        chroot: Chroot, limits: RetraceLimits
    ) throws(StageError) {
        let script = FrameLines(lines, limits: limits)
        let printed = safeText(result.standardOutput)
        let fromText = textThreads(in: printed)
        let fromScript = BacktraceBuilder(modules: resolution.modules, limits: limits).backtrace(of: script)
        let scripted = fromScript.threads.contains { !$0.frames.isEmpty }
        guard scripted || fromText.contains(where: { !$0.frames.isEmpty }) else {
            throw failure(of: result, truncation: crash.truncation, limits: limits)
        }
        backtrace = scripted ? fromScript : Backtrace(fromText)
        let remarks =
            Self.remarks(on: result, script: script, scripted: scripted, limits: limits)
            + crash.remarks + resolution.remarks + chroot.remarks
        exploitability = Exploitability(
            of: CrashSite(crash, fault: fault, script: script.site, thread: backtrace.threads.first))
        summary = RetraceSummary(
            backtrace, crash: crash, debuggerTime: result.wallTime, exploitability: exploitability.rating,
            remarks: remarks)
        text = backtraceText(printed: printed, backtrace: backtrace, resolution: resolution, remarks: remarks)
        self.crash = crash
        self.resolution = resolution
        debugger = chroot.debugger?.package
    }

    /// The bytes of `backtrace.json`.
    func json() throws(StageError) -> [UInt8] {
        do {
            return try BacktraceJSON(
                backtrace, crash: crash, resolution: resolution, debugger: debugger, summary: summary,
                exploitability: exploitability
            ).encoded()
        } catch {
            throw StageError(.retrace, .internalError, "The backtrace cannot be written as JSON: \(error).")
        }
    }

    private static func remarks(
        on result: ChildResult, script: FrameLines, scripted: Bool, limits: RetraceLimits
    ) -> [String] {
        var remarks: [String] = []
        let seconds = limits.sandbox.wallTime.components.seconds
        switch result.termination {
        case .exited: break
        case .signalled: remarks.append("gdb \(result.termination) before it was done; this is what it had found.")
        case .timedOut: remarks.append("gdb was stopped after \(seconds) s; this is what it had found until then.")
        case .outputLimit:
            remarks.append("gdb printed more than \(limits.textBytes >> 10) KiB; the rest is cut off.")
        }
        if ranOutOfMemory(result) {
            remarks.append(
                "gdb ran out of its \(limits.sandbox.memoryBytes >> 20) MiB of memory; something is missing.")
        }
        if !scripted {
            remarks.append("This gdb gave no frames as data, so modules and variables stand in the text alone.")
        } else if !script.complete || script.refused > 0 {
            remarks.append("The frames as data are not complete; the text may have more.")
        }
        return remarks
    }

}

extension RetraceSummary {
    init(_ backtrace: Backtrace, crash: Crash, debuggerTime: Duration, exploitability: Int, remarks: [String]) {
        let frames = backtrace.threads.flatMap(\.frames)
        let signature = CrashSignature(of: backtrace.threads.first, modules: crash.modules)
        self.init(
            // A name in a module that no package has is a guess of the debugger's: it may be of data near by.
            crashFunction: CrashSignature.meaningful(backtrace.threads.first?.frames ?? []).lazy
                .filter { $0.module == nil || $0.package != nil }.compactMap(\.function).first,
            signal: crash.signal, threads: backtrace.threads.count, frames: frames.count,
            symbolisedFrames: frames.count { $0.function != nil }, debuggerTime: debuggerTime,
            quality: BacktraceQuality(of: backtrace), signature: signature, exploitability: exploitability,
            remarks: remarks)
    }
}

/// What the script of frames wrote; the file is removed. Blocking.
func readFrames(in directory: TaskDirectory, limits: RetraceLimits) throws(Errno) -> [UInt8] {
    defer { unlinkFrames(of: directory) }
    guard let file = try ResultFile(at: directory.frames) else { return [] }
    return try file.read(at: 0, count: min(file.byteCount, Int(limits.sandbox.fileBytes)))
}

/// What the core says of the signal and of what was mapped; nil when it cannot be read. Blocking.
func readFault(in directory: TaskDirectory) -> CoreFault? {
    do {
        return try readFault(FileByteSource(directory.coredump))
    } catch {
        // gdb has made something of it all the same, and the rating says that the mappings are not known.
        return nil
    }
}

func unlinkFrames(of directory: TaskDirectory) {
    unlink(directory.frames.string)
}
