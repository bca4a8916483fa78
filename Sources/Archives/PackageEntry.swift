package import SystemPackage

/// A file, directory or link that a package brings.
package struct PackageEntry: Hashable, Sendable {
    /// The absolute path as the package has it; bytes that are not UTF-8 are kept.
    package let path: FilePath
    /// Only regular files, directories, symbolic links and hard links.
    package let kind: ArchiveEntry.Kind
    /// The size of the content, in bytes; 0 for directories and symbolic links.
    ///
    /// In an RPM payload the content of a group of hard links stands in the *last* of them: the first is a regular file
    /// of no bytes, the last a hard link with all of them.
    package let byteCount: Int64
    /// Where a symbolic link points, as it stands there, or the absolute path of the file that a hard link repeats.
    package let linkTarget: FilePath?
    /// Whether anybody may execute it.
    package let isExecutable: Bool

    /// ``path`` on a merged system; see ``usrMerged(_:)``.
    package var mergedPath: FilePath { usrMerged(path) }
}

/// The content of the entry that is being visited; it can be read once, and only during the visit.
package struct PayloadReader {
    /// Held whole, because the file is closed when it goes.
    private let payload: PackagePayload
    private var reader: ArchiveReader { payload.reader }

    init(_ payload: PackagePayload) { self.payload = payload }

    /// The first bytes of the content, `count` or as many as there are; the rest is skipped without being copied.
    ///
    /// - Throws: ``ArchiveError`` with `truncated` or `damaged`.
    package func prefix(_ count: Int) throws(ArchiveError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let block = try reader.nextBlock() {
            let hole = min(max(0, block.offset - Int64(bytes.count)), Int64(count - bytes.count))
            bytes.append(contentsOf: repeatElement(0, count: Int(hole)))
            bytes.append(contentsOf: block.bytes.prefix(count - bytes.count))
        }
        return bytes
    }

    /// The next piece of the content, or nil at its end.
    ///
    /// - Throws: ``ArchiveError`` with `truncated` or `damaged`.
    package func nextBlock() throws(ArchiveError) -> ArchiveBlock? { try reader.nextBlock() }
}

/// Visits what a package would install, in the package's order, without unpacking anything and without its scriptlets.
///
/// - Parameters:
///   - package: A `.deb` or an `.rpm`; what it is is told from its first bytes.
///   - limits: Entries and bytes that the package may have.
///   - body: Called for every entry with a path inside the root that is a file, a directory or a link; written
///     `{ (entry, payload) throws(ArchiveError) in … }`.
/// - Returns: The entries that were left out, and why; at most a thousand.
/// - Throws: ``ArchiveError`` with `notAnArchive`, `truncated`, `damaged`, `unsupported` (RPM v6), `tooManyEntries`,
///   `tooManyBytes` or `system`, and what `body` throws.
@discardableResult
package func forEachPackageEntry(
    of package: FilePath, limits: ExtractionLimits = ExtractionLimits(),
    _ body: (PackageEntry, PayloadReader) throws(ArchiveError) -> Void
) throws(ArchiveError) -> [RefusedEntry] {
    let entries = try PackageEntries(package, limits: limits)
    while let entry = try entries.next() { try body(entry, entries.content) }
    return entries.refused
}
