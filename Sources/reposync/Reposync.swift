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
        await command.runWorker(ReposyncJob.self) { configuration, _ in
            let catalog = try DistributionCatalog(
                plugins: configuration.path(.plugins), keys: configuration.path(.keys))
            var limits = SyncLimits()
            if let downloads = try configuration.number(.downloads, in: 1...64) { limits.downloads = downloads }
            return syncHandler(
                repositories: try configuration.path(.repositories), catalog: catalog, limits: limits)
        }
    }
}

extension ConfigurationKey {
    static let downloads = Self("downloads", default: "6", "how many files are downloaded at once")
}
