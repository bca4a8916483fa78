import CrashModel
import Packages

extension ModuleSearch {
    /// Chooses the debug file of a module; where only the debuginfo is known, the binary by way of it.
    func findDebuginfo(_ row: inout ModuleRow) throws(PackageIndexError) {
        guard row.module.kind != .virtual else { return }
        row.debuginfo = bestDebugFile(row.debugFiles, for: row.binary?.package)
        if row.binary == nil, let debuginfo = row.debuginfo {
            row.binary = try binary(of: row.module, besides: debuginfo)
        }
        if row.debuginfo == nil, let binary = row.binary, let found = try debugFileByPath(of: binary) {
            row.debuginfo = found
            row.doubt =
                row.doubt
                ?? "Its debuginfo in \(found.package.nevra) has no build-id and was found by its path and version only."
        }
    }

    /// The debug file of the binary's own version, or else of the newest; `.build-id` names before other names.
    private func bestDebugFile(_ files: [IndexedFile], for binary: IndexedPackage?) -> IndexedFile? {
        files.max { first, second in
            let ranks = [first, second].map { file in
                [
                    binary.map { file.package.source == $0.source ? 1 : 0 } ?? 0,
                    binary.map { file.package.nevra.versionText == $0.nevra.versionText ? 1 : 0 } ?? 0,
                    file.package.kind == .debuginfo ? 1 : 0,
                    file.kind == .debug ? 1 : 0,
                ]
            }
            if ranks[0] != ranks[1] { return ranks[0].lexicographicallyPrecedes(ranks[1]) }
            return order.isOlder(first.package.nevra, second.package.nevra)
        }
    }

    /// A file at the module's path from the same source version whose own build-id nobody has read.
    private func binary(of module: LoadedModule, besides debuginfo: IndexedFile) throws(PackageIndexError)
        -> IndexedFile?
    {
        let candidates = try index.files(at: module.path).filter {
            $0.kind == .binary && $0.buildID == nil && $0.package.source == debuginfo.package.source && fits($0.package)
        }
        if let named = candidates.first { return named }
        return try offeredBinary(of: module, besides: debuginfo)
    }

    /// A package that is fetched on first need has no list of files in the index: it is the one whose name its package of
    /// debug symbols has (dh_strip(1)). When the root is made, the build-id tells whether that was right.
    private func offeredBinary(of module: LoadedModule, besides debuginfo: IndexedFile) throws(PackageIndexError)
        -> IndexedFile?
    {
        let name = debuginfo.package.nevra.name
        guard let suffix = ["-dbgsym", "-dbg"].first(where: name.hasSuffix) else { return nil }
        for package in try index.packages(named: String(name.dropLast(suffix.count)))
        where package.source == debuginfo.package.source && fits(package) {
            guard try index.offer(of: package.sha256) != nil else { continue }
            return IndexedFile(package: package, file: IndexedPath(path: module.path, kind: .binary))
        }
        return nil
    }

    /// `/usr/lib/debug/<path>` or `/usr/lib/debug/<path>.debug` of the binary's own version, in both usr-merge spellings.
    private func debugFileByPath(of binary: IndexedFile) throws(PackageIndexError) -> IndexedFile? {
        var spellings = [binary.path]
        if let unmerged = unmerged(binary.path) { spellings.append(unmerged) }
        for spelling in spellings {
            for suffix in ["", ".debug"] {
                let found = try index.files(at: "/usr/lib/debug\(spelling)\(suffix)").first {
                    // A build-id that is known and did not match is that of another build.
                    $0.kind == .debugByPath && $0.buildID == nil && fits($0.package)
                        && $0.package.source == binary.package.source
                }
                if let found { return found }
            }
        }
        return nil
    }

    /// `/lib/x` for `/usr/lib/x`: how packages from before the usr-merge spell it.
    private func unmerged(_ path: String) -> String? {
        let short = String(path.dropFirst("/usr".count))
        return path.hasPrefix("/usr/") && usrMerged(short) == path ? short : nil
    }
}
