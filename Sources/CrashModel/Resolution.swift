/// Which packages a crash ran, and which hold the debuginfo for them.
package struct Resolution: Hashable, Sendable {
    /// nil where nothing on this server goes with the dump of a kernel, whose log can be read all the same; there are no
    /// packages then.
    package let releaseID: ReleaseID?
    /// How the release was found, or why there is none, as a sentence for people.
    package let releaseEvidence: String
    /// One entry for every module of the crash, in the crash's order.
    package let modules: [ResolvedModule]
    /// Every package that the crash root needs, each once.
    package let packages: [ResolvedPackage]
    /// What a person should know: ties, packages of two releases, an index that is old.
    package let remarks: [String]

    package init(
        releaseID: ReleaseID?, releaseEvidence: String, modules: [ResolvedModule], packages: [ResolvedPackage],
        remarks: [String] = []
    ) {
        self.releaseID = releaseID
        self.releaseEvidence = releaseEvidence
        self.modules = modules
        self.packages = packages
        self.remarks = remarks
    }

    /// Every package with the release in whose mirror it is: a process may have files of two, where a container meets its
    /// host.
    package var packagesInMirrors: [(package: ResolvedPackage, releaseID: ReleaseID)] {
        packages.compactMap { package in (package.releaseID ?? releaseID).map { (package, $0) } }
    }

    /// The same with something more that a person should know.
    package func adding(remarks more: [String]) -> Resolution {
        Resolution(
            releaseID: releaseID, releaseEvidence: releaseEvidence, modules: modules, packages: packages,
            remarks: remarks + more)
    }

    /// The modules that come from a file but for which something is missing.
    package var incomplete: [ResolvedModule] { modules.filter { $0.status != .complete && $0.status != .virtual } }
}

/// One module of the crash and what was found for it.
package struct ResolvedModule: Hashable, Sendable {
    package let module: LoadedModule
    package let status: ModuleStatus
    /// The file in its binary package.
    package let binary: PackagedFile?
    /// The separate debug file in its debuginfo package.
    package let debuginfo: PackagedFile?
    /// Why ``status`` is not `complete`, as one sentence; nil when it is.
    package let reason: String?

    package init(
        module: LoadedModule, status: ModuleStatus, binary: PackagedFile? = nil, debuginfo: PackagedFile? = nil,
        reason: String? = nil
    ) {
        self.module = module
        self.status = status
        self.binary = binary
        self.debuginfo = debuginfo
        self.reason = reason
    }
}

/// How much was found for a module.
package enum ModuleStatus: String, Hashable, Sendable, CaseIterable {
    /// The file and its debuginfo, both by build-id.
    case complete
    /// Found by path and version because there was no build-id to go by: it may be another build.
    case unverified
    /// The file is there, its debuginfo is not.
    case withoutDebuginfo = "without-debuginfo"
    /// The debuginfo is there, the file itself is not.
    case withoutBinary = "without-binary"
    /// No mirrored package has this build-id.
    case unknown
    /// The module has no build-id in the core, and its path is in no mirrored package.
    case unidentified
    /// The kernel's own image; nothing to find.
    case virtual
}

/// A file inside a package.
package struct PackagedFile: Hashable, Sendable {
    package let nevra: NEVRA
    /// The absolute path that the package gives it.
    package let path: String

    package init(nevra: NEVRA, path: String) {
        self.nevra = nevra
        self.path = path
    }
}

/// A mirrored package that the crash root is made of.
package struct ResolvedPackage: Hashable, Sendable {
    package let nevra: NEVRA
    /// The SHA-256 of the package file, in lower-case hex: its name in the package store.
    package let sha256: String
    /// Where the package file is, relative to the release's mirror.
    package let location: String
    package let role: PackageRole
    /// The only files to take, as absolute paths; nil for all of them.
    package let files: [String]?
    /// The release in whose mirror it is; nil for that of the resolution.
    package let releaseID: ReleaseID?

    package init(
        nevra: NEVRA, sha256: String, location: String, role: PackageRole, files: [String]?,
        releaseID: ReleaseID? = nil
    ) {
        self.nevra = nevra
        self.sha256 = sha256
        self.location = location
        self.role = role
        self.files = files
        self.releaseID = releaseID
    }
}

/// What a package is for.
package enum PackageRole: String, Hashable, Sendable {
    case binary
    case debuginfo
    /// Source code, for the lines around a frame.
    case debugsource
}
