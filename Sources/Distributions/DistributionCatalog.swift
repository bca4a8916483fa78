package import CrashModel
package import SystemPackage

/// Every distribution that the plugins describe.
package struct DistributionCatalog: Sendable {
    /// In the order of the plugins' file names, which is also the order in which they are asked.
    package let distributions: [Distribution]

    package init(distributions: [Distribution]) { self.distributions = distributions }

    /// Reads and checks every `*.yaml` of a folder; blocking.
    ///
    /// - Parameters:
    ///   - plugins: The folder of plugins.
    ///   - keys: The folder of public keys (`gpg/`) that the plugins name files of.
    /// - Throws: ``CatalogError`` for a folder or file that cannot be read, an unknown or missing key, a pattern that
    ///   does not compile, an example that the plugin's own patterns do not match, and a key file that is not there.
    package init(plugins: FilePath, keys: FilePath) throws(CatalogError) {
        var distributions: [Distribution] = []
        for name in try pluginNames(in: plugins) {
            let text = try readPlugin(plugins.appending(name))
            let distribution = try Distribution(plugin: text, file: name, keys: keys)
            guard !distributions.contains(where: { $0.name == distribution.name }) else {
                throw CatalogError(
                    file: name, key: "distribution", reason: "another plugin already describes \(distribution.name)")
            }
            distributions.append(distribution)
        }
        guard !distributions.isEmpty else {
            throw CatalogError(file: plugins.string, reason: "there is no plugin (*.yaml) in this folder")
        }
        self.distributions = distributions
    }

    package func distribution(named name: String) -> Distribution? {
        distributions.first { $0.name == name }
    }

    /// The release id that packages are mirrored under: `rhel-8-x86_64` for ABRT's `rhel-8.4-x86_64`.
    ///
    /// nil when no plugin lists it.
    package func listed(_ releaseID: ReleaseID) -> ReleaseID? {
        guard let distribution = distribution(named: releaseID.release.distribution),
            let release = distribution.listedRelease(for: releaseID.release)
        else { return nil }
        return ReleaseID(release: release, architecture: releaseID.architecture)
    }
}
