import CrashModel

/// How a plugin recognises crashes of its distribution.
struct ReleaseRecognition: Sendable {
    /// For the one line that ABRT sends, such as that of `/etc/redhat-release`.
    let releasePatterns: [ReleasePattern]
    /// The values of `ID=` in os-release(5).
    let ids: [String]
    /// For `VERSION_ID=`.
    let versionPattern: ReleasePattern
    /// For the name, version and release of the package that crashed.
    let packagePatterns: [ReleasePattern]
    let versions: [DistributionVersion]

    /// The version that a release text names, in either of its two forms.
    func version(inRelease text: String) -> String? {
        guard let file = OperatingSystemRelease(text) else {
            let line = text.split(whereSeparator: \.isNewline).first ?? ""
            return releasePatterns.lazy.compactMap { $0.version(in: line) }.first.map { rolling([String(line)]) ?? $0 }
        }
        guard ids.contains(file.id) else { return nil }
        if let version = rolling(file.values) { return version }
        if let version = file.versionID.flatMap(versionPattern.version(in:)) { return version }
        // Debian's testing has no VERSION_ID, but its codename is in the list.
        return versions.first { $0.codename != nil && $0.codename == file.codename }?.version
    }

    /// The version that a package's own version string gives away.
    func version(inPackage package: String) -> String? {
        packagePatterns.lazy.compactMap { $0.version(in: package) }.first
    }

    /// The version that an ABRT client's product and version name, such as `CentOS Stream` and `9`.
    func version(ofProduct product: String, version: String) -> String? {
        self.version(inRelease: "\(product) release \(version)")
    }

    /// The listed release without a number that a text names, such as `rawhide`: there a number says only what it becomes.
    private func rolling(_ texts: [String]) -> String? {
        let words = versions.map(\.version).filter { $0.allSatisfy(\.isLetter) }
        guard !words.isEmpty else { return nil }
        return texts.lazy.map { $0.lowercased() }.compactMap { text in words.first { text.contains($0.lowercased()) } }
            .first
    }
}
