import CrashModel
import Packages

/// The packages of the crash root as they come together, each once.
struct PackageSelection {
    private let order: VersionOrder
    /// In the order in which modules asked for them.
    private var binaries: [IndexedPackage] = []
    private var debuginfo: [IndexedPackage] = []
    private var debugsource: [IndexedPackage] = []
    /// By the SHA-256 of the package: the files that were asked for.
    private var files: [String: Set<String>] = [:]
    private var checksums: (binaries: Set<String>, debuginfo: Set<String>) = ([], [])
    private(set) var remarks: [String] = []

    init(order: VersionOrder) { self.order = order }

    mutating func add(_ row: ModuleRow) {
        if let binary = row.binary { add(binary, whole: true) }
        if let debuginfo = row.debuginfo { add(debuginfo, whole: false) }
    }

    /// Adds a package that is needed whole although no module comes from it.
    mutating func addWhole(_ package: IndexedPackage) {
        if checksums.binaries.insert(package.sha256).inserted { binaries.append(package) }
    }

    func contains(_ package: IndexedPackage) -> Bool { checksums.binaries.contains(package.sha256) }

    private mutating func add(_ file: IndexedFile, whole: Bool) {
        let package = file.package
        if whole {
            addWhole(package)
        } else if checksums.debuginfo.insert(package.sha256).inserted {
            debuginfo.append(package)
        }
        files[package.sha256, default: []].insert(file.path)
        if let target = file.file.target { files[package.sha256, default: []].insert(target) }
    }

    /// Adds what a debugger opens beside the debug files: shared DWARF (dwz) and the scripts that it loads by itself.
    ///
    /// The shared DWARF of an rpm may lie in another debuginfo package of the same source.
    mutating func addCompanions(from index: PackageIndex) throws(PackageIndexError) {
        for package in debuginfo {
            let companions = try index.companions(of: package)
            for companion in companions { add(companion, whole: false) }
            guard !companions.contains(where: { $0.kind == .dwz }) else { continue }
            for sibling in try index.packages(from: package.source)
            where sibling.kind == .debuginfo && sibling.nevra.architecture == package.nevra.architecture
                && sibling.nevra.versionText == package.nevra.versionText && sibling.sha256 != package.sha256
            {
                for companion in try index.companions(of: sibling) where companion.kind == .dwz {
                    add(companion, whole: false)
                }
            }
        }
    }

    /// Adds the packages with the source code (`-debugsource`) of a source package.
    mutating func addSources(of package: IndexedPackage, from index: PackageIndex) throws(PackageIndexError) {
        for sibling in try index.packages(from: package.source)
        where sibling.kind == .debugsource && sibling.nevra.architecture == package.nevra.architecture
            && sibling.nevra.versionText == package.nevra.versionText
        {
            if !debugsource.contains(where: { $0.sha256 == sibling.sha256 }) { debugsource.append(sibling) }
        }
    }

    /// The packages for the crash root: binary packages whole, of debuginfo packages only what was asked for.
    ///
    /// A root has one file at a path, so of a package with two versions in one process only the loaded files are taken.
    mutating func packages() -> [ResolvedPackage] {
        let versions = Dictionary(grouping: binaries) { "\($0.nevra.name) \($0.nevra.architecture)" }
        for (_, twice) in versions.sorted(by: { $0.key < $1.key }) where twice.count > 1 {
            remarks.append(
                "The process had files of several versions of one package loaded ("
                    + twice.map(\.nevra.description).sorted().joined(separator: ", ")
                    + "); only the loaded files of each are in the root.")
        }
        return binaries.map { package in
            let isAlone = versions["\(package.nevra.name) \(package.nevra.architecture)"]?.count == 1
            return ResolvedPackage(
                nevra: package.nevra, sha256: package.sha256, location: package.location, role: .binary,
                files: isAlone ? nil : (files[package.sha256] ?? []).sorted())
        }
            + debuginfo.filter { !contains($0) }.map { package in
                ResolvedPackage(
                    nevra: package.nevra, sha256: package.sha256, location: package.location, role: .debuginfo,
                    files: (files[package.sha256] ?? []).sorted())
            }
            + debugsource.map { package in
                ResolvedPackage(
                    nevra: package.nevra, sha256: package.sha256, location: package.location, role: .debugsource,
                    files: nil)
            }
    }
}
