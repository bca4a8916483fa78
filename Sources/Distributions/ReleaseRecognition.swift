import CrashModel

/// How a plugin recognises crashes of its distribution.
struct ReleaseRecognition: Sendable {
    /// The name in release ids.
    let distribution: String
    /// For the one line that ABRT sends, such as that of `/etc/redhat-release`.
    let releasePatterns: [ReleasePattern]
    /// The values of `ID=` in os-release(5).
    let ids: [String]
    /// For `VERSION_ID=`.
    let versionPattern: ReleasePattern
    /// For the name, version and release of the package that crashed.
    let packagePatterns: [ReleasePattern]
    /// The same for marks that other distributions use too, such as RHEL's in its rebuilds.
    let sharedPatterns: [ReleasePattern]
    let versions: [DistributionVersion]

    /// The version that a release text names, in either of its two forms.
    func version(inRelease text: String) -> String? {
        guard let file = OperatingSystemRelease(text) else {
            let line = firstLine(of: text)
            return releasePatterns.lazy.compactMap { $0.version(in: line) }.first.map { rolling([line]) ?? $0 }
        }
        guard ids.contains(file.id) else { return nil }
        if let version = rolling(file.values) { return version }
        if let version = file.versionID.flatMap(versionPattern.version(in:)) { return version }
        // Debian's testing has no VERSION_ID, but its codename is in the list.
        return versions.first { $0.codename != nil && $0.codename == file.codename }?.version
    }

    /// The version that a package's own version string gives away.
    ///
    /// A number above all that are listed is of the release without a number, where one is listed: `.fc46` of rawhide.
    func version(inPackage package: String) -> String? { version(in: package, packagePatterns) }

    /// The same by a mark that other distributions use too.
    func version(inSharedMarkOf package: String) -> String? { version(in: package, sharedPatterns) }

    private func version(in package: String, _ patterns: [ReleasePattern]) -> String? {
        guard let found = patterns.lazy.compactMap({ $0.version(in: package) }).first else { return nil }
        guard let rolling = rollingVersions.first, let number = Int(found),
            let newest = versions.compactMap({ Int($0.version) }).max(), number > newest
        else { return found }
        return rolling
    }

    /// The version that an ABRT client's product and version name, such as `CentOS Stream` and `9`.
    func version(ofProduct product: String, version: String) -> String? {
        guard product == distribution else { return self.version(inRelease: "\(product) release \(version)") }
        let isListed = versions.contains { $0.version == version }
        return isListed ? version : String(version.prefix { $0 != "." })
    }

    /// The listed release without a number that a text names, such as `rawhide`: there a number says only what it becomes.
    private func rolling(_ texts: [String]) -> String? {
        let words = rollingVersions
        guard !words.isEmpty else { return nil }
        return texts.lazy.map { $0.lowercased() }.compactMap { text in words.first { text.contains($0.lowercased()) } }
            .first
    }

    private var rollingVersions: [String] { versions.map(\.version).filter { $0.allSatisfy(\.isLetter) } }
}

/// The first line that is not empty, of 512 bytes at most; a text that was sent may have any length.
func firstLine(of text: String) -> String {
    let bytes = text.utf8.drop { $0 == 0x0a || $0 == 0x0d }.prefix(ReleasePattern.longestText)
    return String(String(decoding: bytes, as: UTF8.self).prefix { !$0.isNewline })
}
