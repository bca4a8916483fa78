import ChrootStage
import CrashModel
import Distributions
import Glibc
import JobMessages
import Logging
import NIOPosix
import Packages
import ServiceRuntime
import SystemPackage
import TaskStorage

@main
struct ChrootBuilderService {
    static func main() async {
        let command = ServiceCommand(
            name: "chroot-builder", abstract: "puts the packages of a crash into a root, and its debugger into another",
            keys: [.spool, .repositories, .store, .storeLimit, .sweepInterval, .plugins, .keys, .retraceQueue],
            queueKeys: [.retraceQueue])
        await command.runWorker(BuildJob.self, beside: rootSweep) { configuration, logger in
            let spool = try configuration.path(.spool)
            let builder = try chrootBuilder(configuration)
            // What a killed process left behind; a root that is in use belongs to a task that is in the spool.
            let kept = await debuggers(ofKeptTasksIn: spool)
            let swept = try await builder.sweep(olderThan: .seconds(3600), keeping: kept) { isAlive($0, in: spool) }
            if !swept.isEmpty { logger.notice("removed \(swept.count) roots of dead tasks") }
            return buildHandler(
                spool: spool, builder: builder,
                nextQueue: try configuration.routingKey(.retraceQueue, of: .retrace) ?? Stage.retrace.rawValue)
        }
    }

    /// Roots of kept tasks go when the gateway has removed their tasks.
    @Sendable private static func rootSweep(
        _ configuration: ServiceConfiguration, _ logger: Logger
    ) throws -> [RegularWork] {
        let spool = try configuration.path(.spool)
        let builder = try chrootBuilder(configuration)
        let seconds = try configuration.number(.sweepInterval, in: 1...86400) ?? 300
        return [
            RegularWork(every: .seconds(seconds)) {
                do {
                    let removed = try await builder.removeRootsOfDeadTasks { isAlive($0, in: spool) }
                    guard !removed.isEmpty else { return }
                    logger.info("removed roots of tasks that are gone", metadata: ["names": "\(removed)"])
                } catch {
                    logger.error("roots of tasks that are gone could not be removed: \(error)")
                }
            }
        ]
    }

    /// Whether the task has its directory still.
    private static func isAlive(_ task: TaskID, in spool: FilePath) -> Bool {
        access(TaskDirectory(task, in: spool).path.string, F_OK) == 0
    }

    /// The debugger roots in which kept tasks may be opened again.
    private static func debuggers(ofKeptTasksIn spool: FilePath) async -> Set<FilePath> {
        let found = try? await NIOThreadPool.singleton.runIfActive {
            try TaskDirectory.tasks(in: spool).compactMap { task -> FilePath? in
                let directory = TaskDirectory(task, in: spool)
                guard let body = try? directory.keptRetraceJob(upTo: JobCoding.maximumBytes) else { return nil }
                return (try? JobCoding.decode(RetraceJob.self, from: body))?.chroot.debugger.map {
                    FilePath($0.directory)
                }
            }
        }
        return Set(found ?? [])
    }

    static func chrootBuilder(_ configuration: ServiceConfiguration) throws -> ChrootBuilder {
        let gibibytes = try configuration.number(.storeLimit, in: 1...(1 << 20)) ?? 50
        return ChrootBuilder(
            repositories: try configuration.path(.repositories),
            store: PackageStore(directory: try configuration.path(.store), highWaterMark: UInt64(gibibytes) << 30),
            catalog: try DistributionCatalog(
                plugins: configuration.path(.plugins), keys: configuration.path(.keys)))
    }
}

extension ConfigurationKey {
    static let storeLimit = Self("storelimit", default: "50", "GiB of unpacked packages to keep before old ones go")
    static let sweepInterval = Self(
        "sweepinterval", default: "300", "seconds between two looks for roots whose tasks are gone")
    static let retraceQueue = Self(
        "retracequeue", default: "retrace",
        "where the jobs go: retrace, or the worker.queue of the retracer that sees this store, retrace.<host>")
}
