import ChrootStage
import Coredumps
import CrashModel
import ELF
import JobMessages
import Logging
import NIOPosix
import ServiceRuntime
import SystemPackage
import TaskStorage

/// Where the message of the chroot-builder meets its stage, and its answer the message of the retracer.
///
/// - Parameter nextQueue: The routing key of the retracer that sees these roots: `retrace`, or `retrace.<host>` where the
///   store is not shared.
func buildHandler(spool: FilePath, builder: ChrootBuilder, nextQueue: String) -> JobHandler<BuildJob> {
    JobHandler(
        ledger: { AttemptLedger(directory: TaskDirectory($0.taskID, in: spool).attempts, name: "build") },
        cleanUp: { job, _ in
            try await NIOThreadPool.singleton.runIfActive { try TaskDirectory(job.taskID, in: spool).removeDump() }
            try await builder.removeCrashRoot(of: job.taskID)
        },
        stage: { job, context in
            let (progress, steps) = AsyncStream.makeStream(
                of: (String, Double?).self, bufferingPolicy: .bufferingNewest(1))
            async let told: Void = {
                for await (message, fraction) in progress { await context.progress(message, fraction: fraction) }
            }()
            defer { steps.finish() }
            let dump = job.crash.kernel.map { TaskDirectory(job.taskID, in: spool).vmcore($0) }
            let chroot = try await builder.build(
                job.crash, job.resolution, task: job.taskID,
                loadedModules: { vmlinux in await modules(in: dump, by: vmlinux, context.logger) },
                progress: { steps.yield(($0, $1)) })
            steps.finish()
            await told
            let resolution = try await builder.corrected(job.resolution, task: job.taskID)
            let next = RetraceJob(task: job.taskID, crash: job.crash, resolution: resolution, chroot: chroot)
            let directory = TaskDirectory(job.taskID, in: spool)
            let body = try JobCoding.encode(next, pretty: true)
            try await NIOThreadPool.singleton.runIfActive { try directory.keepRetraceJob(body) }
            return JobOutcome(
                next: [.init(next, routingKey: nextQueue)],
                message: "\(content(of: chroot, for: job)) in the root, and "
                    + "\(chroot.debugger?.package.description ?? "no debugger") beside it.",
                facts: chroot.debugger.map { ["debugger": $0.package.description] } ?? [:])
        })
}

/// The names of the modules that a dump's kernel had loaded; nil where they cannot be told.
private func modules(in dump: FilePath?, by vmlinux: FilePath, _ logger: Logger) async -> [String]? {
    guard let dump else { return nil }
    do {
        let answer = try await NIOThreadPool.singleton.runIfActive {
            try loadedModules(of: FileByteSource(dump), vmlinux: FileByteSource(vmlinux))
        }
        switch answer {
        case .names(let names): return names
        case .unknown(let reason):
            logger.notice("the loaded modules are not known, so all are unpacked: \(reason)")
        }
    } catch {
        logger.notice("the loaded modules cannot be read, so all are unpacked: \(error)")
    }
    return nil
}

/// What is in the crash root, for the person who waits: the beginning of a sentence.
private func content(of chroot: Chroot, for job: BuildJob) -> String {
    if job.crash.kind == .vmcore {
        return chroot.kernel == nil ? "No symbols of the kernel are" : "The kernel's symbols are"
    }
    let packages = job.resolution.packages.count
    return packages == 1 ? "1 package is" : "\(packages) packages are"
}
