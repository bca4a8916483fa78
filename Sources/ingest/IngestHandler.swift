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
            let directory = TaskDirectory(job.taskID, in: spool)
            let (progress, unpacked) = AsyncStream.makeStream(of: Int64.self, bufferingPolicy: .bufferingNewest(1))
            async let told: Void = {
                for await bytes in progress { await context.progress("\(bytes >> 20) MiB are unpacked.") }
            }()
            defer { unpacked.finish() }
            let crash = try await NIOThreadPool.singleton.runIfActive {
                try ingest(
                    directory, contentType: job.contentType, taskType: job.taskType, limits: limits,
                    progress: { unpacked.yield($0) })
            }
            unpacked.finish()
            await told
            return .next(
                ResolveJob(task: job.taskID, crash: crash),
                "\(crash.executable) \(crash.signal.map { "ended by \($0)" } ?? "was dumped"): "
                    + "\(crash.threadCount) \(crash.threadCount == 1 ? "thread" : "threads"), "
                    + "\(crash.modules.count) \(crash.modules.count == 1 ? "module" : "modules").",
                facts: [
                    "executable": crash.executable, "signal": crash.signal?.description ?? "",
                    "architecture": crash.architecture.rawValue,
                    "truncation": crash.truncation.map {
                        "The core is cut off after \($0.actualBytes) of \($0.expectedBytes) bytes."
                    } ?? "",
                ].filter { !$0.value.isEmpty })
        })
}
