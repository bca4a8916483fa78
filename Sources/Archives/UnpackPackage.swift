import Glibc
package import SystemPackage

/// What unpacking a package left on disk.
package struct UnpackedPackage: Hashable, Sendable {
    /// Regular files, hard links among them.
    package let files: Int
    package let directories: Int
    package let symbolicLinks: Int
    /// The content of all files, in bytes; hard links count once.
    package let bytes: Int64
    /// The entries that were left out, and why; at most a thousand.
    package let refused: [RefusedEntry]
}

/// Unpacks a `.deb` or an `.rpm` into a directory, as a merged system would have it, and runs none of its scriptlets.
///
/// `/bin`, `/sbin`, `/lib`, `/lib64`, `/lib32` and `/libx32` go below `/usr`, and the root gets symbolic links in their
/// places. Files become 0644 or 0755, directories 0755, all owned by the caller; times and capabilities are not kept.
/// Symbolic links are written as they stand and never followed.
///
/// It blocks; call it from a thread pool. Several may run at once in different directories.
///
/// - Parameters:
///   - package: The package; what it is is told from its first bytes.
///   - directory: Where to; made when it is not there, and expected to be empty.
///   - limits: Entries and bytes that the package may have.
/// - Throws: ``ArchiveError`` with `notAnArchive`, `truncated`, `damaged`, `unsupported` (RPM v6), `tooManyEntries`,
///   `tooManyBytes`, `noSpace` or `system`; what was unpacked until then stays behind.
@discardableResult
package func unpackPackage(
    _ package: FilePath, into directory: FilePath, limits: ExtractionLimits = ExtractionLimits()
) throws(ArchiveError) -> UnpackedPackage {
    let made = directory.withCString { mkdir($0, 0o755) }
    guard made == 0 || errno == EEXIST else { throw ArchiveError("make the directory to unpack to", errno: errno) }
    let unpacker = PackageUnpacker(root: try DirectoryDescriptor(opening: directory))
    let walk = try PackageWalk(package, limits: limits)
    while let step = try walk.next() {
        if let reason = try unpacker.unpack(step, from: walk.reader) { walk.refuse(step.entry, reason) }
    }
    try unpacker.addUsrMergeLinks()
    return UnpackedPackage(
        files: unpacker.files, directories: unpacker.directories, symbolicLinks: unpacker.symbolicLinks,
        bytes: unpacker.bytes, refused: walk.refused)
}
