package import CrashModel

/// Where the symbols of one kernel may be had that no mirror has: the key `kernel.sources` of a plugin.
package struct KernelSource: Sendable {
    /// The release that the plugin takes the kernel for, as it is mirrored.
    package let releaseID: ReleaseID
    package let release: KernelRelease
    package let architecture: Architecture
    package let packaging: KernelPackaging
    /// Whose keys count; it has no mirrors, and its packages are always verified.
    package let repository: Repository
    /// The whole addresses of packages that may have the symbols, the likeliest first.
    package let addresses: [String]
}

extension DistributionCatalog {
    /// Where a kernel may be had for which a resolution found no package; nil where the resolution has one, the dump does not
    /// tell its release, or the plugin of the resolution's release names no source.
    package func kernelSource(of crash: Crash, _ resolution: Resolution) -> KernelSource? {
        guard let release = crash.kernel?.release, resolution.packages.isEmpty, let named = resolution.releaseID,
            let distribution = distribution(named: named.release.distribution), distribution.isEnabled,
            let packaging = distribution.kernel,
            let listed = distribution.listedRelease(for: named.release),
            let version = distribution.versions.first(where: { $0.version == listed.version })
        else { return nil }
        let addresses = packaging.sourceAddresses(of: release, crash.architecture)
        guard !addresses.isEmpty else { return nil }
        let words = distribution.words(version, crash.architecture)
        return KernelSource(
            releaseID: ReleaseID(release: listed, architecture: crash.architecture), release: release,
            architecture: crash.architecture, packaging: packaging,
            repository: Repository(
                name: "kernel.sources", format: .rpm, suite: nil, components: [], mirrors: [],
                keys: distribution.keys.paths(words)),
            addresses: addresses)
    }
}
