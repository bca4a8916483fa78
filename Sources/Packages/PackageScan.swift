import Archives
import CrashModel
import ELF
package import SystemPackage

/// Lists the files of a `.deb` or `.rpm` that matter for debugging, with the build-ids from their ELF notes.
///
/// Streams the package once and keeps 64 KiB of a file at a time. Blocking; safe to call on several threads at once.
///
/// - Throws: ``UnreadablePackage``.
package func scanPackage(_ file: FilePath) throws(UnreadablePackage) -> PackageContents {
    var scan = PackageScan()
    do throws(ArchiveError) {
        let refused = try forEachPackageEntry(of: file) { (entry, payload) throws(ArchiveError) in
            try scan.visit(entry, payload)
        }
        return scan.contents(refused: refused)
    } catch {
        throw UnreadablePackage(reason: error.message)
    }
}

/// What one pass over a package found so far.
struct PackageScan {
    /// Notes and the headers that lead to them are at the front of every linked file.
    static let prefixBytes = 65536
    /// More files than any package has that a debugger could want; a kernel's debuginfo has some 5,000.
    static let maximumPaths = 200_000

    private var paths: [IndexedPath] = []
    private var elfFiles: [String: ELFIdentity] = [:]
    /// Hard links by the file that they repeat: the content may stand with the file or with the last of its links.
    private var hardLinks: [String: [String]] = [:]
    private var hardLinkCount = 0
    private var isCut = false
    private var remarks: [String] = []

    mutating func visit(_ entry: PackageEntry, _ payload: PayloadReader) throws(ArchiveError) {
        guard paths.count < Self.maximumPaths, hardLinkCount < Self.maximumPaths else {
            isCut = true
            return
        }
        let path = entry.mergedPath.string
        switch entry.kind {
        case .symbolicLink:
            let target = entry.linkTarget.map { linkTarget($0, from: entry.mergedPath) }
            if let indexed = PathClass(path).link(to: target) { paths.append(indexed) }
        case .hardLink:
            guard let target = entry.linkTarget.map({ usrMerged($0).string }) else { return }
            hardLinks[target, default: []].append(path)
            hardLinkCount += 1
            // In an RPM the content comes with the last link.
            if entry.byteCount > 0 { try takeFile(target, entry, payload) }
        case .regular:
            try takeFile(path, entry, payload)
        default: return
        }
    }

    private mutating func takeFile(
        _ path: String, _ entry: PackageEntry, _ payload: PayloadReader
    ) throws(ArchiveError) {
        if let prefix = try elfPrefix(payload) {
            if let identity = try identity(prefix.bytes, endingAt: prefix.end, payload) {
                elfFiles[path] = identity
                if let indexed = PathClass(path).elfFile(identity) { paths.append(indexed) }
            } else if entry.isExecutable {
                remarks.append("\(path) begins as an ELF file but cannot be read as one")
            }
        } else if let indexed = PathClass(path).otherFile(isExecutable: entry.isExecutable) {
            paths.append(indexed)
        }
    }

    /// nil for what cannot be read as an ELF file.
    ///
    /// - Parameter end: How much of the file has gone by.
    private func identity(
        _ prefix: [UInt8], endingAt end: Int64, _ payload: PayloadReader
    ) throws(ArchiveError) -> ELFIdentity? {
        guard let identity = try? ELFIdentity(prefix: prefix) else { return nil }
        guard let missing = identity.missingNotes, missing.count <= Self.prefixBytes,
            let start = Int64(exactly: missing.lowerBound), start >= end
        else { return identity }
        var notes: [UInt8] = []
        while notes.count < missing.count, let block = try payload.nextBlock() {
            let place = start + Int64(notes.count)
            let (next, overflow) = block.offset.addingReportingOverflow(Int64(block.bytes.count))
            guard !overflow, next > place else { continue }
            // A hole in the notes says nothing.
            guard block.offset <= place else { break }
            notes.append(
                contentsOf: block.bytes.dropFirst(Int(place - block.offset)).prefix(missing.count - notes.count))
        }
        return (try? ELFIdentity(prefix: prefix, notes: notes, at: missing.lowerBound)) ?? identity
    }

    /// The beginning of an ELF file, and how much of it has gone by; nil for any other file.
    private func elfPrefix(_ payload: PayloadReader) throws(ArchiveError) -> (bytes: [UInt8], end: Int64)? {
        var prefix: [UInt8] = []
        var end: Int64 = 0
        while prefix.count < Self.prefixBytes, let block = try payload.nextBlock() {
            let hole = min(max(0, block.offset - Int64(prefix.count)), Int64(Self.prefixBytes - prefix.count))
            prefix.append(contentsOf: repeatElement(0, count: Int(hole)))
            prefix.append(contentsOf: block.bytes.prefix(Self.prefixBytes - prefix.count))
            end = max(end, block.offset &+ Int64(block.bytes.count))
            guard prefix.count < 4 || prefix.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return nil }
        }
        return prefix.count >= 4 ? (prefix, end) : nil
    }

    func contents(refused: [RefusedEntry]) -> PackageContents {
        var paths = paths
        for (target, links) in hardLinks {
            guard let identity = elfFiles[target] else { continue }
            paths += links.compactMap { PathClass($0).elfFile(identity) }
        }
        var remarks = remarks
        if isCut { remarks.append("only the first \(Self.maximumPaths) files of the package are indexed") }
        var seen: Set<String> = []
        return PackageContents(
            paths: paths.filter { seen.insert($0.path).inserted },
            remarks: remarks + refused.map { "\($0.path) \($0.reason.rawValue) and was left out" })
    }
}

/// The absolute path that a link at `path` leads to, as text: `..` and `.` are taken away, links on the way are not.
private func linkTarget(_ target: FilePath, from path: FilePath) -> String {
    let joined = target.isAbsolute ? target : path.removingLastComponent().pushing(target)
    return usrMerged(joined.lexicallyNormalized()).string
}
