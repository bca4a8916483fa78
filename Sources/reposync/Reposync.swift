import Distributions
import JobMessages
import ReposyncStage
import ServiceRuntime

@main
struct Reposync {
    static func main() async {
        let command = ServiceCommand(
            name: "reposync", abstract: "mirrors the packages of a release and builds the index of its build-ids",
            keys: [.repositories, .plugins, .keys, .downloads])
        await command.runWorkers(ReposyncJob.self, FetchJob.self) { configuration, _ in
            let catalog = try DistributionCatalog(
                plugins: configuration.path(.plugins), keys: configuration.path(.keys))
            var limits = SyncLimits()
            if let downloads = try configuration.number(.downloads, in: 1...64) { limits.downloads = downloads }
            let repositories = try configuration.path(.repositories)
            return (
                syncHandler(repositories: repositories, catalog: catalog, limits: limits),
                fetchHandler(
                    repositories: repositories, catalog: catalog, limits: limits,
                    attempts: try configuration.workerSettings().attempts)
            )
        }
    }
}

extension ConfigurationKey {
    static let downloads = Self("downloads", default: "6", "how many files are downloaded at once")
}
