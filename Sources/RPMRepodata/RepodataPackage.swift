package import CrashModel

/// A package as the metadata of an RPM repository describes it. None of it is verified before its signature was.
package struct RepodataPackage: Hashable, Sendable {
    package let nevra: NEVRA
    /// The SHA-256 of the package file, 64 lower-case hex digits: the `pkgid`.
    package let sha256: String
    /// Where the file is, relative to the repository, as the repository writes it.
    package let location: String
    /// The size of the package file, in bytes.
    package let byteCount: UInt64
    /// The file name of the source package: `bash-5.2.15-5.fc40.src.rpm`; empty where it is not told.
    package let sourceRPM: String
    /// The absolute paths of its files as far as they were asked for; no directories and no `%ghost` files.
    package var files: [String]

    package init(
        nevra: NEVRA, sha256: String, location: String, byteCount: UInt64, sourceRPM: String, files: [String] = []
    ) {
        self.nevra = nevra
        self.sha256 = sha256
        self.location = location
        self.byteCount = byteCount
        self.sourceRPM = sourceRPM
        self.files = files
    }
}

/// What was read of a repository's metadata.
package struct RepodataSummary: Hashable, Sendable {
    /// The packages that were handed out.
    package var packageCount = 0
    /// The packages that were left out because the metadata has no SHA-256, no size or no usable name for them.
    package var unusableCount = 0

    package init() {}
}
