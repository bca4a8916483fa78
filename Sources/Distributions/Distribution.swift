package import CrashModel
import SystemPackage

/// What a plugin says of one distribution: how to recognise it, where its packages are and whose signatures count.
package struct Distribution: Sendable {
    /// The name in release ids, lower case: `debian`.
    package let name: String
    /// As its makers write it: `Debian GNU/Linux`.
    package let displayName: String
    /// What stands before the version when a person reads it: `Debian`.
    package let displayRelease: String
    package let packageFormat: PackageFormat
    /// The releases that can be mirrored, in the plugin's order.
    package let versions: [DistributionVersion]
    package let architectures: [Architecture]
    package let debugger: DebuggerPackage
    /// The package that reads the distribution's kernel dumps; nil where the plugin names none.
    package let kernelDebugger: DebuggerPackage?
    /// How it packages the symbols of its kernels; nil where the plugin does not say.
    package let kernel: KernelPackaging?
    /// Whether the distribution may be mirrored; crashes of one that may not are recognised all the same.
    package let isEnabled: Bool
    /// The names of the plugin's files: its own, those that it inherits from, and those that add to it.
    package let files: [String]
    let repositoryTemplates: [RepositoryTemplate]
    let keys: KeyFiles
    /// What stands for `$ARCH` where it is not the usual name.
    let directoryNames: [Architecture: String?]
    let recognition: ReleaseRecognition

    /// The rules under which its versions of packages are compared.
    package var versionOrder: VersionOrder {
        switch packageFormat {
        case .deb: .debian
        case .rpm: .rpm
        }
    }

    /// The packages of the debuggers that a mirror has, the one for kernels among them unless it is the host's.
    package var packagedDebuggers: [String] {
        var names = [debugger.package]
        if let kernelDebugger, !kernelDebugger.isHost { names.append(kernelDebugger.package) }
        return names
    }

    /// The release in the plugin's list that `release` belongs to: `rhel-8` for `rhel-8.4`.
    ///
    /// nil when the list has neither the version nor what stands before its first dot.
    package func listedRelease(for release: Release) -> Release? {
        let whole = versions.contains { $0.version == release.version }
        if whole { return release }
        let major = release.version.prefix { $0 != "." }
        guard versions.contains(where: { $0.version == major }) else { return nil }
        return try? Release(distribution: name, version: major)
    }

    /// How a person calls a release: `Debian 12`.
    package func displayName(of release: Release) -> String { "\(displayRelease) \(release.version)" }

    /// The repositories of a release in the plugin's order, with `$VER`, `$ARCH` and `$CODENAME` replaced.
    ///
    /// Empty when the plugin lists neither the version nor the architecture, or names no repository at all.
    package func repositories(for releaseID: ReleaseID) -> [Repository] {
        guard let release = listedRelease(for: releaseID.release), architectures.contains(releaseID.architecture),
            let version = versions.first(where: { $0.version == release.version })
        else { return [] }
        let words = words(version, releaseID.architecture)
        return repositoryTemplates.filter { $0.has(version, releaseID.architecture) }
            .map { $0.repository(words, format: packageFormat, defaultKeys: keys) }
    }

    func words(_ version: DistributionVersion, _ architecture: Architecture) -> TemplateWords {
        let usual = packageFormat == .deb ? architecture.debianName : architecture.rawValue
        return TemplateWords(version: version, directory: (directoryNames[architecture] ?? nil) ?? usual)
    }
}

/// A release as a plugin lists it.
package struct DistributionVersion: Hashable, Sendable {
    /// `12`
    package let version: String
    /// `bookworm`; nil for distributions whose archives are named by the version.
    package let codename: String?
}

/// The package that has the debugger for crashes of a distribution.
package struct DebuggerPackage: Hashable, Sendable {
    /// `gdb`
    package let package: String
    /// The absolute path of the program in that package: `/usr/bin/gdb`.
    package let executable: String
    /// Whether it is the one that is installed on the chroot builder's host, instead of the release's own.
    package let isHost: Bool

    package init(package: String, executable: String, isHost: Bool = false) {
        self.package = package
        self.executable = executable
        self.isHost = isHost
    }
}

/// The format of a distribution's packages and of the archives that carry them.
package enum PackageFormat: String, Hashable, Sendable, CaseIterable {
    /// deb(5), in archives with a signed `InRelease` (Debian's DebianRepository/Format page).
    case deb
    /// RPM, in repositories with `repodata/repomd.xml`.
    case rpm
}
