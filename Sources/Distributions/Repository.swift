import CrashModel
package import SystemPackage

/// One archive or repository of packages, for one release and architecture.
package struct Repository: Hashable, Sendable {
    /// The plugin's name for it: `updates`.
    package let name: String
    package let format: PackageFormat
    /// The suite below `dists/` of a Debian archive; nil for RPM.
    package let suite: String?
    /// The components of a Debian archive: `main`.
    package let components: [String]
    /// Where copies of it are, in the order in which they are tried.
    package let mirrors: [Mirror]
    /// Whether it has nothing but debug symbols.
    package let isDebug: Bool
    /// Whether a synchronisation goes on, with a remark, when none of its mirrors answers.
    package let isOptional: Bool
    /// Whether signatures are checked; false only where a plugin says `gpgcheck: false`.
    package let checksSignatures: Bool
    /// The armoured public keys that may sign it; no other key counts.
    package let keys: [FilePath]
    /// Whether its packages are all fetched, or each on first need.
    package let mode: MirrorMode
    /// How many versions of each package are kept, the newest; nil for every version ever seen.
    package let keptVersions: Int?
    /// The most that all downloads from it together may take, in bytes a second; nil for no limit.
    package let bytesPerSecond: UInt64?

    package init(
        name: String, format: PackageFormat, suite: String?, components: [String], mirrors: [Mirror],
        isDebug: Bool = false, isOptional: Bool = false, checksSignatures: Bool = true, keys: [FilePath],
        mode: MirrorMode = .full, keptVersions: Int? = nil, bytesPerSecond: UInt64? = nil
    ) {
        self.name = name
        self.format = format
        self.suite = suite
        self.components = components
        self.mirrors = mirrors
        self.isDebug = isDebug
        self.isOptional = isOptional
        self.checksSignatures = checksSignatures
        self.keys = keys
        self.mode = mode
        self.keptVersions = keptVersions
        self.bytesPerSecond = bytesPerSecond
    }
}

/// What a synchronisation fetches of a repository; the raw value is what plugins write.
package enum MirrorMode: String, Hashable, Sendable, CaseIterable {
    /// Every package.
    case full
    /// All metadata; a package when the first crash needs it.
    case lazy
}

/// Where a copy of a repository is.
package enum Mirror: Hashable, Sendable, CustomStringConvertible {
    /// A base URL (`http`, `https`, `rsync`, `ftp`, `file`) or the absolute path of a folder; no slash at its end.
    case address(String)
    /// Whatever this machine's own apt is configured to use for the same suite and components.
    case hostAptSources

    package var description: String {
        switch self {
        case .address(let address): address
        case .hostAptSources: "host-apt-sources"
        }
    }
}

/// A repository as the plugin writes it, with `$VER`, `$ARCH` and `$CODENAME` still in it.
struct RepositoryTemplate: Hashable, Sendable {
    let name: String
    let suite: String?
    let components: [String]
    let mirrors: [Mirror]
    let path: String?
    let isDebug: Bool
    let isOptional: Bool
    let checksSignatures: Bool
    let keys: KeyFiles?
    let versions: [String]
    let architectures: [Architecture]
    let mode: MirrorMode
    let keptVersions: Int?
    let bytesPerSecond: UInt64?

    /// Whether a release has it.
    func has(_ version: DistributionVersion, _ architecture: Architecture) -> Bool {
        (versions.isEmpty || versions.contains(version.version))
            && (architectures.isEmpty || architectures.contains(architecture))
    }

    func repository(_ words: TemplateWords, format: PackageFormat, defaultKeys: KeyFiles) -> Repository {
        Repository(
            name: name, format: format, suite: suite.map(words.fill), components: components.map(words.fill),
            mirrors: mirrors.map { mirror(for: $0, words) }, isDebug: isDebug, isOptional: isOptional,
            checksSignatures: checksSignatures, keys: (keys ?? defaultKeys).paths(words), mode: mode,
            keptVersions: keptVersions, bytesPerSecond: bytesPerSecond)
    }

    private func mirror(for template: Mirror, _ words: TemplateWords) -> Mirror {
        guard case .address(let base) = template else { return template }
        let whole = Self.withoutSlash(base) + (path.map { "/" + $0 } ?? "")
        return .address(Self.withoutSlash(words.fill(whole)))
    }

    private static func withoutSlash(_ address: String) -> String {
        address.count > 1 && address.hasSuffix("/") ? String(address.dropLast()) : address
    }
}

/// What stands for `$VER`, `$CODENAME` and `$ARCH` in a template.
struct TemplateWords: Sendable {
    let version: DistributionVersion
    /// What the mirrors' paths have for the architecture.
    let directory: String

    func fill(_ template: String) -> String {
        guard template.contains("$") else { return template }
        var text = template
        for (word, value) in [
            ("$CODENAME", version.codename ?? version.version), ("$VER", version.version), ("$ARCH", directory),
        ] {
            text = text.split(separator: word, omittingEmptySubsequences: false).joined(separator: value)
        }
        return text
    }
}
