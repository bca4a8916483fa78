import GatewayAPI
import Logging
import ServiceLifecycle
import SystemPackage

/// Removes, archives and gives up tasks whose time has come, at the start and every few minutes.
struct TaskSweeper: Service {
    let dependencies: GatewayDependencies
    let archive: FilePath?
    let pause: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await sweep()
                do { try await Task.sleep(for: pause) } catch { return }
            }
        }
    }

    private func sweep() async {
        do {
            let done = try await removeExpiredTasks(
                dependencies, lifetime: dependencies.limits.lifetime, archive: archive)
            guard done != ExpiredTasks() else { return }
            logger.notice(
                "tasks had their time",
                metadata: [
                    "removed": "\(done.removed.count)", "archived": "\(done.archived.count)",
                    "given-up": "\(done.givenUp.count)",
                ])
        } catch {
            logger.error("the tasks whose time has come are not known: \(error)")
        }
    }
}
