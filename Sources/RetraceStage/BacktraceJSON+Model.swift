import CrashModel

extension BacktraceJSON {
    init(
        _ backtrace: Backtrace, crash: Crash, resolution: Resolution, debugger: NEVRA?, summary: RetraceSummary,
        exploitability: Exploitability
    ) {
        self.init(
            debugger: debugger?.description, release: resolution.releaseID?.description, executable: crash.executable,
            commandLine: crash.commandLine,
            signal: crash.signal.map { SignalJSON(number: $0.number, name: $0.description) },
            processID: crash.processID, quality: summary.quality.rawValue, crashFunction: summary.crashFunction,
            signature: SignatureJSON(hash: summary.signature.hash, functions: summary.signature.functions),
            truncation: crash.truncation.map {
                TruncationJSON(expectedBytes: $0.expectedBytes, actualBytes: $0.actualBytes)
            },
            remarks: summary.remarks, exploitability: ExploitabilityJSON(exploitability),
            threads: backtrace.threads.map(ThreadJSON.init),
            modules: resolution.modules.map(ModuleJSON.init), kernel: nil)
    }
}

extension BacktraceJSON.ThreadJSON {
    init(_ thread: BacktraceThread) {
        self.init(
            number: thread.number, threadID: thread.threadID, name: thread.name, crashed: thread.crashed,
            frames: thread.frames.map(BacktraceJSON.FrameJSON.init), endReason: thread.endReason)
    }
}

extension BacktraceJSON.FrameJSON {
    init(_ frame: BacktraceFrame) {
        self.init(
            level: frame.level, address: hexadecimal(frame.address), function: frame.function, offset: frame.offset,
            file: frame.sourceFile,
            line: frame.sourceLine,
            source: frame.source.map { BacktraceJSON.SourceJSON(firstLine: $0.firstLine, lines: $0.lines) },
            module: frame.module, buildID: frame.buildID?.description,
            package: frame.package?.description, inlined: frame.inlined,
            arguments: frame.arguments.map { BacktraceJSON.VariableJSON(name: $0.name, value: $0.value) },
            locals: frame.locals.map { BacktraceJSON.VariableJSON(name: $0.name, value: $0.value) })
    }
}

extension BacktraceJSON.ModuleJSON {
    init(_ resolved: ResolvedModule) {
        self.init(
            path: resolved.module.path, buildID: resolved.module.buildID?.description,
            start: hexadecimal(resolved.module.start), end: hexadecimal(resolved.module.end),
            status: resolved.status.rawValue, package: resolved.binary?.nevra.description,
            debugPackage: resolved.debuginfo?.nevra.description, reason: resolved.reason)
    }
}
