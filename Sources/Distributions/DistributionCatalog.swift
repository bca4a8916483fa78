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
    /// - Throws: ``CatalogError``, the first, for a folder or file that cannot be read, an unknown or missing key, a
    ///   pattern that does not compile, an example that the plugin's own patterns do not match, and a key file of an
    ///   enabled distribution that is not there.
    package init(plugins: FilePath, keys: FilePath) throws(CatalogError) {
        let survey = PluginSurvey(plugins: plugins, keys: keys)
        if let fault = survey.faults.first ?? survey.missingKeys.first(where: \.isNeeded)?.fault { throw fault }
        distributions = survey.distributions
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

    /// The release id that packages are mirrored under for the one that an ABRT client sends.
    ///
    /// Clients build it from os-release(5) and rewrite Fedora's and RHEL's names only, so it may have spaces:
    /// `centos-9-x86_64` for `CentOS Stream-9-x86_64`. nil when no plugin lists it.
    package func listed(clientReleaseID text: String) -> ReleaseID? {
        if let releaseID = try? ReleaseID(text), let listed = listed(releaseID) { return listed }
        guard let client = ClientReleaseID(text), let architecture = try? Architecture(client.architecture) else {
            return nil
        }
        for distribution in distributions {
            let version = distribution.recognition.version(ofProduct: client.product, version: client.version)
            guard let version, let release = try? Release(distribution: distribution.name, version: version) else {
                continue
            }
            return listed(ReleaseID(release: release, architecture: architecture))
        }
        return nil
    }
}
