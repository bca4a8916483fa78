import CrashModel
import IngestStage
import JobMessages
import NIOPosix
import ServiceRuntime
import SystemPackage
import TaskStorage

/// Where the message of ingest meets its stage, and its answer the message of the resolver.
func ingestHandler(spool: FilePath, limits: IngestLimits) -> JobHandler<IngestJob> {
    JobHandler(
        ledger: { AttemptLedger(directory: TaskDirectory($0.taskID, in: spool).attempts, name: "ingest") },
        cleanUp: { job, _ in
            try await NIOThreadPool.singleton.runIfActive { try TaskDirectory(job.taskID, in: spool).removeDump() }
        },
        reply: { standing in
            switch standing {
            case .started: IngestReply.pickedUp
            case .succeeded: IngestReply.accepted
            case .failed(let error): IngestReply.refused(error)
            }
        },
        stage: { job, context in
            let upload = Upload(
                TaskDirectory(job.taskID, in: spool), contentType: job.contentType, taskType: job.taskType,
                serverPath: job.serverPath)
            let (progress, steps) = AsyncStream.makeStream(
                of: IngestProgress.self, bufferingPolicy: .bufferingNewest(1))
            async let told: Void = {
                for await step in progress {
                    await context.progress(step.message, facts: step.facts)
                }
            }()
            defer { steps.finish() }
            let read = try await NIOThreadPool.singleton.runIfActive {
                try ingest(upload, limits: limits, progress: { steps.yield($0) })
            }
            steps.finish()
            await told
            let crash = try await readKernelLog(of: read, in: upload.directory)
            return .next(ResolveJob(task: job.taskID, crash: crash), crash.summary, facts: crash.facts)
        })
}

extension Crash {
    /// One sentence for the person who waits.
    fileprivate var summary: String {
        if let kernel { return IngestProgress.kernel(kernel).message }
        return "\(executable) \(signal.map { "ended by \($0)" } ?? "was dumped"): "
            + "\(threadCount) \(threadCount == 1 ? "thread" : "threads"), "
            + "\(modules.count) \(modules.count == 1 ? "module" : "modules")."
    }

    /// What the gateway keeps.
    fileprivate var facts: [String: String] {
        let facts = [
            "executable": executable, "signal": signal?.description ?? "", "architecture": architecture.rawValue,
            "truncation": truncation.map {
                "The core is cut off after \($0.actualBytes) of \($0.expectedBytes) bytes."
            } ?? kernel?.incompleteness ?? "",
        ]
        return facts.merging(kernel?.facts ?? [:]) { $1 }.filter { !$0.value.isEmpty }
    }
}

extension KernelDump {
    fileprivate var facts: [String: String] {
        ["kernel": release?.description ?? "", "kernel_build_id": buildID?.description ?? "", "panic": panic ?? ""]
    }
}

extension IngestProgress {
    /// What the gateway keeps of it.
    fileprivate var facts: [String: String] {
        (kernel?.facts ?? [:]).filter { !$0.value.isEmpty }
    }
}
