import CrashModel
import Packages

extension ModuleSearch {
    /// Chooses one package for every module that several claim.
    ///
    /// Best is the file at the module's own path; then the source version that most other modules could come from too;
    /// then the package that the client named; then the one of the module's package note; then the newest.
    mutating func chooseBinaries() {
        var support: [SourcePackage: Int] = [:]
        for row in rows where row.module.kind != .virtual {
            for source in Set(row.binaries.map(\.package.source)) { support[source, default: 0] += 1 }
        }
        for position in rows.indices {
            let row = rows[position]
            let ranked = row.binaries.map { (file: $0, rank: rank($0, for: row.module, support)) }
                .sorted { first, second in
                    if first.rank != second.rank { return second.rank.lexicographicallyPrecedes(first.rank) }
                    if order.isOlder(second.file.package.nevra, first.file.package.nevra) { return true }
                    if order.isOlder(first.file.package.nevra, second.file.package.nevra) { return false }
                    return first.file.package.sha256 < second.file.package.sha256
                }
            guard let best = ranked.first else { continue }
            rows[position].binary = best.file
            let equals = ranked.dropFirst().prefix { $0.rank == best.rank }.map(\.file.package.nevra.description)
            if !equals.isEmpty { remarkTie(row.module, best.file.package.nevra, equals) }
        }
    }

    private func rank(_ file: IndexedFile, for module: LoadedModule, _ support: [SourcePackage: Int]) -> [Int] {
        let source = file.package.source
        let note = module.packageNote.map { $0.name == source.name && $0.version == source.version } ?? false
        return [
            file.path == usrMerged(module.path) ? 1 : 0,
            support[source] ?? 0,
            uploaded.contains { $0.nevra == file.package.nevra || $0.source == source } ? 1 : 0,
            note ? 1 : 0,
        ]
    }

    private mutating func remarkTie(_ module: LoadedModule, _ chosen: NEVRA, _ others: [String]) {
        guard remarks.count < 50 else { return }
        remarks.append(
            "\(printable(module.path)) is the same file in \(chosen) and in "
                + "\(Set(others).sorted().prefix(5).joined(separator: ", ")); \(chosen) was taken.")
    }

    /// For a module that has no build-id in the core: the file at its path, of the version that fits best.
    func findByPath(_ row: inout ModuleRow, besides chosen: ChosenPackages) throws(PackageIndexError) {
        guard row.module.kind != .virtual, row.module.buildID == nil else { return }
        let candidates = try index.files(at: row.module.path).filter { $0.kind == .binary && fits($0.package) }
        let best = candidates.max { first, second in
            let ranks = [first, second].map { candidate in
                [
                    chosen.checksums.contains(candidate.package.sha256) ? 1 : 0,
                    chosen.sources.contains(candidate.package.source) ? 1 : 0,
                    uploaded.contains { $0.source == candidate.package.source } ? 1 : 0,
                ]
            }
            if ranks[0] != ranks[1] { return ranks[0].lexicographicallyPrecedes(ranks[1]) }
            return order.isOlder(first.package.nevra, second.package.nevra)
        }
        guard let best else { return }
        row.binary = best
        row.doubt =
            "The core has no build-id for this file, so the one at the same path in \(best.package.nevra) was taken; "
            + "it may be another build."
        if let buildID = best.buildID {
            row.debugFiles = try index.files(with: buildID).filter { $0.isDebug && fits($0.package) }
        }
    }
}

extension ModuleSearch {
    /// For a module whose build-id no index can know yet: the file at its path in a package that is fetched on first need.
    ///
    /// When the root is made, the build-id shows whether it is the one that crashed.
    func findOffered(_ row: inout ModuleRow) throws(PackageIndexError) {
        guard row.module.kind != .virtual, row.module.buildID != nil, row.binary == nil, row.debuginfo == nil else {
            return
        }
        var best: IndexedFile?
        for candidate in try index.files(at: row.module.path)
        where candidate.kind == .binary && candidate.buildID == nil && fits(candidate.package) {
            guard try index.offer(of: candidate.package.sha256) != nil else { continue }
            if best.map({ order.isOlder($0.package.nevra, candidate.package.nevra) }) ?? true { best = candidate }
        }
        guard let best else { return }
        row.binary = best
        row.doubt =
            "\(best.package.nevra) has a file of this path and was not read before; its build-id is compared when it is there."
    }
}

/// The packages that were found by build-id.
struct ChosenPackages {
    let checksums: Set<String>
    let sources: Set<SourcePackage>

    init(_ rows: [ModuleRow]) {
        checksums = Set(rows.compactMap(\.binary?.package.sha256))
        sources = Set(rows.compactMap(\.binary?.package.source))
    }
}

extension IndexedFile {
    /// Whether a debugger reads it in place of the binary.
    var isDebug: Bool { kind == .debug || kind == .debugByPath }
}
