import Distributions
import JobMessages
import Packages
import ResolveStage
import ServiceRuntime

@main
struct Resolver {
    static func main() async {
        let command = ServiceCommand(
            name: "resolver", abstract: "finds the packages of a crash by the build-ids in its core",
            keys: [.spool, .repositories, .plugins, .keys])
        await command.runWorker(ResolveJob.self) { configuration, _ in
            let catalog = try DistributionCatalog(
                plugins: configuration.path(.plugins), keys: configuration.path(.keys))
            let indexes = PackageIndexes(repositories: try configuration.path(.repositories))
            return resolveHandler(spool: try configuration.path(.spool), catalog: catalog, indexes: indexes)
        }
    }
}
