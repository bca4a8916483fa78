package import CrashModel

/// A package of a closure.
package struct SolvedPackage: Hashable, Sendable {
    package let nevra: NEVRA
    /// Where the metadata says that the package file is, relative to the archive or the mirror.
    package let location: String
    /// The SHA-256 of the package file in lower-case hex; nil where the metadata has only another checksum.
    package let sha256: String?

    package init(nevra: NEVRA, location: String, sha256: String?) {
        self.nevra = nevra
        self.location = location
        self.sha256 = sha256
    }
}
