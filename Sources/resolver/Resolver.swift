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
            keys: [.spool, .repositories, .plugins, .keys, .sources])
        await command.runWorker(ResolveJob.self) { configuration, _ in
            let catalog = try DistributionCatalog(
                plugins: configuration.path(.plugins), keys: configuration.path(.keys))
            let indexes = PackageIndexes(repositories: try configuration.path(.repositories))
            guard let sources = SourceChoice(rawValue: try configuration.required(.sources)) else {
                throw ConfigurationRefusal("'\(ConfigurationKey.sources.name)' must be none, program or all")
            }
            return resolveHandler(
                spool: try configuration.path(.spool), catalog: catalog, indexes: indexes, sources: sources)
        }
    }
}

extension ConfigurationKey {
    static let sources = Self(
        "sources", default: "none",
        "whose source code the result shows around the top frames, where it is packaged: none, program, all")
}
