package import CrashModel

/// A package file of a mirror, as the package index knows it.
package struct IndexedPackage: Hashable, Sendable {
    package let nevra: NEVRA
    /// The SHA-256 of the package file, 64 lower-case hex digits.
    package let sha256: String
    /// Where the file is, relative to ``MirrorDirectory/path``.
    package let location: String
    /// The size of the package file, in bytes.
    package let byteCount: UInt64
    package let kind: PackageKind
    /// What it was built from; packages of one source and version belong together.
    package let source: SourcePackage

    package init(
        nevra: NEVRA, sha256: String, location: String, byteCount: UInt64, kind: PackageKind, source: SourcePackage
    ) {
        self.nevra = nevra
        self.sha256 = sha256
        self.location = location
        self.byteCount = byteCount
        self.kind = kind
        self.source = source
    }
}

/// What a package brings; the raw value is what the index stores.
package enum PackageKind: Int, Hashable, Sendable, CaseIterable {
    /// Programs, libraries, anything that a machine runs.
    case binary = 0
    /// DWARF of another package's files: `-debuginfo`, `-dbg`, `-dbgsym`.
    case debuginfo = 1
    /// Source code for a debugger: `-debugsource`.
    case debugsource = 2

    /// What the name of a package says of it, by the habits of Fedora (`-debuginfo`) and Debian (`-dbg`, `-dbgsym`).
    package init(packageName: String) {
        if packageName.hasSuffix("-debugsource") {
            self = .debugsource
        } else if ["-debuginfo", "-dbg", "-dbgsym"].contains(where: packageName.hasSuffix)
            || packageName.hasSuffix("-debuginfo-common")
        {
            self = .debuginfo
        } else {
            self = .binary
        }
    }
}

/// The source package that a package was built from.
package struct SourcePackage: Hashable, Sendable {
    package let name: String
    /// `[epoch:]version[-release]`, as the package states it.
    package let version: String

    package init(name: String, version: String) {
        self.name = name
        self.version = version
    }
}
