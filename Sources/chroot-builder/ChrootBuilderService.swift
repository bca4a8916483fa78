import ChrootStage
import CrashModel
import Distributions
import Glibc
import JobMessages
import Logging
import Packages
import ServiceRuntime
import SystemPackage
import TaskStorage

@main
struct ChrootBuilderService {
    static func main() async {
        let command = ServiceCommand(
            name: "chroot-builder", abstract: "puts the packages of a crash into a root, and its debugger into another",
            keys: [.spool, .repositories, .store, .storeLimit, .plugins, .keys, .retraceQueue],
            queueKeys: [.retraceQueue])
        await command.runWorker(BuildJob.self) { configuration, logger in
            let spool = try configuration.path(.spool)
            let builder = try chrootBuilder(configuration)
            // What a killed process left behind; a root that is in use belongs to a task that is in the spool.
            let swept = try await builder.sweep(olderThan: .seconds(3600)) { task in
                access(TaskDirectory(task, in: spool).path.string, F_OK) == 0
            }
            if !swept.isEmpty { logger.notice("removed \(swept.count) roots of dead tasks") }
            return buildHandler(
                spool: spool, builder: builder,
                nextQueue: try configuration.routingKey(.retraceQueue, of: .retrace) ?? Stage.retrace.rawValue)
        }
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
    static let retraceQueue = Self(
        "retracequeue", default: "retrace",
        "where the jobs go: retrace, or the worker.queue of the retracer that sees this store, retrace.<host>")
}
