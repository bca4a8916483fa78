/// One ELF file that was mapped into the crashed process.
package struct LoadedModule: Hashable, Sendable {
    /// The absolute path in the crashed process's root; for the vdso its soname, such as `linux-vdso.so.1`.
    package let path: String
    package let buildID: BuildID?
    /// The lowest address at which the file is mapped.
    package let start: UInt64
    /// One past the highest address at which the file is mapped.
    package let end: UInt64
    package let kind: Kind
    /// `.note.package` of the file, if it has one. The attacker may have written it.
    package let packageNote: PackageNote?

    package enum Kind: String, Hashable, Sendable {
        /// The program itself.
        case executable
        /// Anything else that comes from a file.
        case library
        /// The kernel's own image (vdso): it comes from no package and is never missing.
        case virtual
    }

    package init(
        path: String, buildID: BuildID?, start: UInt64, end: UInt64, kind: Kind, packageNote: PackageNote? = nil
    ) {
        self.path = path
        self.buildID = buildID
        self.start = start
        self.end = end
        self.kind = kind
        self.packageNote = packageNote
    }
}

/// The JSON of an ELF `.note.package` (type 0xcafe1a7e, systemd's ELF_PACKAGE_METADATA).
///
/// It names the *source* package. Only ever a hint.
package struct PackageNote: Hashable, Sendable {
    /// `rpm`, `deb`.
    package let type: String
    package let name: String
    package let version: String
    package let architecture: String?
    /// `cpe:/o:fedoraproject:fedora:40`.
    package let osCPE: String?

    package init(type: String, name: String, version: String, architecture: String?, osCPE: String?) {
        self.type = type
        self.name = name
        self.version = version
        self.architecture = architecture
        self.osCPE = osCPE
    }
}
