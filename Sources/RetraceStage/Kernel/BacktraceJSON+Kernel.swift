import CrashModel

extension BacktraceJSON {
    struct KernelJSON: Encodable {
        let release: String?
        let buildID: String?
        /// Whether the vmlinux that was used has this build-id; absent where none was used.
        let verified: Bool?
        let panic: String?
        let rung: String
        let refusals: [RefusalJSON]
        /// The options with which crash reads the dump, beside those that every session has.
        let crashOptions: [String]
        /// Absent where nothing tells.
        let taint: [TaintJSON]?
        let cpu: Int?
        let processID: Int?
        /// The address of the task's `task_struct`.
        let task: String?
        let command: String?
        let modules: [KernelModuleJSON]

        private enum CodingKeys: String, CodingKey {
            case release
            case buildID = "build_id"
            case verified, panic, rung, refusals
            case crashOptions = "crash_options"
            case taint, cpu
            case processID = "process_id"
            case task, command, modules
        }
    }

    struct RefusalJSON: Encodable {
        let rung: String
        let reason: String
    }

    struct TaintJSON: Encodable {
        let letter: String
        let meaning: String
    }

    struct KernelModuleJSON: Encodable {
        let name: String
        let base: String
        let size: UInt64
        /// Whether its debug file was at hand.
        let symbols: Bool
    }

    init(_ report: KernelReport) {
        let summary = report.summary
        self.init(
            debugger: report.debugger?.description, release: report.resolution.releaseID?.description,
            executable: report.crash.executable, commandLine: nil, signal: nil, processID: nil,
            quality: summary.quality.rawValue, crashFunction: summary.crashFunction,
            signature: SignatureJSON(hash: summary.signature.hash, functions: summary.signature.functions),
            truncation: report.crash.truncation.map {
                TruncationJSON(expectedBytes: $0.expectedBytes, actualBytes: $0.actualBytes)
            },
            remarks: summary.remarks, exploitability: nil,
            threads: report.backtrace.threads.map(ThreadJSON.init),
            modules: report.resolution.modules.map(ModuleJSON.init), kernel: KernelJSON(report))
    }
}

extension BacktraceJSON.KernelJSON {
    init(_ report: KernelReport) {
        self.init(
            release: report.kernel.release?.description, buildID: report.kernel.buildID?.description,
            verified: report.findings.verified, panic: report.panic, rung: report.rung.rawValue,
            refusals: report.findings.refusals.map { .init(rung: $0.rung.rawValue, reason: $0.reason) },
            crashOptions: report.findings.crashOptions,
            taint: report.taint?.letters.map {
                .init(letter: String($0), meaning: KernelTaint.meanings[$0] ?? "")
            },
            cpu: report.stack?.cpu, processID: report.stack?.pid, task: report.stack?.task.map { "0x" + $0 },
            command: report.stack?.command,
            modules: report.modules.map {
                .init(name: $0.name, base: hexadecimal($0.base), size: $0.size, symbols: $0.hasSymbols)
            })
    }
}
