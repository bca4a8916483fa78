import CrashModel
package import RPMRepodata

extension IndexedPackage {
    /// What an RPM repository's metadata says of a package.
    ///
    /// - Parameter location: Where its file is or will be, relative to ``MirrorDirectory/path``.
    package init(repodata package: RepodataPackage, location: String) {
        self.init(
            nevra: package.nevra, sha256: package.sha256, location: location, byteCount: package.byteCount,
            kind: PackageKind(packageName: package.nevra.name),
            source: SourcePackage(rpm: package.sourceRPM)
                ?? SourcePackage(name: package.nevra.name, version: package.nevra.versionText))
    }
}

extension SourcePackage {
    /// Reads the file name of a source RPM, `name-version-release.src.rpm`; nil for any other text.
    package init?(rpm fileName: String) {
        let suffix = [".src.rpm", ".nosrc.rpm"].first(where: fileName.hasSuffix)
        guard let suffix else { return nil }
        let parts = fileName.dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.init(
            name: parts.dropLast(2).joined(separator: "-"), version: parts.suffix(2).joined(separator: "-"))
    }
}
