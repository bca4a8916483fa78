import CrashModel
import Packages

/// One resolve: the table of modules and what the index has for each.
struct ModuleSearch {
    let crash: Crash
    let index: PackageIndex
    let order: VersionOrder
    let mirror: MirrorFacts
    let sources: SourceChoice
    var rows: [ModuleRow]
    /// The packages that the client named.
    var uploaded: [IndexedPackage] = []
    var remarks: [String] = []

    init(
        _ crash: Crash, _ index: PackageIndex, _ order: VersionOrder, mirror: MirrorFacts, sources: SourceChoice = .none
    ) {
        self.crash = crash
        self.index = index
        self.order = order
        self.mirror = mirror
        self.sources = sources
        rows = crash.modules.map { ModuleRow(module: $0) }
    }

    mutating func resolution(evidence: String) throws(PackageIndexError) -> Resolution {
        if let remark = mirror.remark { remarks.append(remark) }
        try findUploadedPackage()
        for position in rows.indices { try lookUp(&rows[position]) }
        chooseBinaries()
        let chosen = ChosenPackages(rows)
        for position in rows.indices { try findByPath(&rows[position], besides: chosen) }
        for position in rows.indices { try findDebuginfo(&rows[position]) }
        for position in rows.indices { try findOffered(&rows[position]) }
        var selection = PackageSelection(order: order)
        for row in rows { selection.add(row) }
        try selection.addCompanions(from: index)
        for row in rows where sources == .all || (sources == .program && row.module.kind == .executable) {
            if let binary = row.binary { try selection.addSources(of: binary.package, from: index) }
        }
        addUploadedPackage(to: &selection)
        var modules: [ResolvedModule] = []
        for row in rows { modules.append(try row.resolved(index: index, mirror: mirror)) }
        return Resolution(
            releaseID: mirror.releaseID, releaseEvidence: evidence, modules: modules,
            packages: selection.packages(), remarks: remarks + selection.remarks)
    }

    /// Whether a package can run in the crashed process.
    func fits(_ package: IndexedPackage) -> Bool {
        let name = package.nevra.architecture
        return name == "all" || name == "noarch" || (try? Architecture(name)) == crash.architecture
    }

    private func lookUp(_ row: inout ModuleRow) throws(PackageIndexError) {
        guard row.module.kind != .virtual, let buildID = row.module.buildID else { return }
        for found in try index.files(with: buildID) where fits(found.package) {
            switch found.kind {
            case .binary, .script: row.binaries.append(found)
            case .buildIDLink: row.links.append(found)
            case .debug, .debugByPath: row.debugFiles.append(found)
            case .dwz, .autoLoad: continue
            }
        }
        if row.binaries.isEmpty { row.binaries = try binaries(behind: row.links, of: row.module) }
    }

    /// The binaries that an rpm's links stand for, where the packages themselves were not read.
    private func binaries(
        behind links: [IndexedFile], of module: LoadedModule
    ) throws(PackageIndexError) -> [IndexedFile] {
        var found: [IndexedFile] = []
        for link in links {
            let path = link.file.target ?? usrMerged(module.path)
            if link.package.kind == .binary {
                let file = IndexedPath(path: path, kind: .binary, buildID: module.buildID)
                found.append(IndexedFile(package: link.package, file: file))
                continue
            }
            // Enterprise Linux 7 and older: the link lies in the debuginfo and leads into the binary package.
            found += try index.files(at: path).filter {
                $0.kind == .binary && $0.buildID == nil && $0.package.source == link.package.source && fits($0.package)
            }
        }
        return found
    }
}

/// What is known of one module so far.
struct ModuleRow {
    let module: LoadedModule
    /// The files with the module's build-id, of all packages.
    var binaries: [IndexedFile] = []
    var links: [IndexedFile] = []
    var debugFiles: [IndexedFile] = []
    var binary: IndexedFile?
    var debuginfo: IndexedFile?
    /// Why ``binary`` or ``debuginfo`` may be of another build; nil when both were found by build-id.
    var doubt: String?

    init(module: LoadedModule) { self.module = module }
}
