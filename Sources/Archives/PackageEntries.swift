package import SystemPackage

/// What a package would install, one entry after the other, for callers that stop before the end or pause on the way.
///
/// One thread at a time may use it, and it blocks; nothing is unpacked unasked, and no scriptlet runs.
package final class PackageEntries {
    private let walk: PackageWalk
    private var current: PackageWalk.Step?

    /// - Parameters:
    ///   - package: A `.deb` or an `.rpm`; what it is is told from its first bytes.
    ///   - limits: Entries and bytes that the package may have.
    /// - Throws: ``ArchiveError`` with `notAnArchive`, `truncated`, `damaged`, `unsupported` (RPM v6) or `system`.
    package init(_ package: FilePath, limits: ExtractionLimits = ExtractionLimits()) throws(ArchiveError) {
        walk = try PackageWalk(package, limits: limits)
    }

    /// The next entry with a path inside the root that is a file, a directory or a link; nil after the last one.
    ///
    /// - Throws: ``ArchiveError`` with `truncated`, `damaged`, `unsupported`, `tooManyEntries`, `tooManyBytes` or `system`.
    package func next() throws(ArchiveError) -> PackageEntry? {
        current = try walk.next()
        guard let step = current else { return nil }
        return PackageEntry(
            path: step.path.filePath, kind: step.entry.kind,
            byteCount: step.entry.hasContent ? step.entry.byteCount : 0,
            linkTarget: step.linkTarget, isExecutable: step.entry.permissions & 0o111 != 0)
    }

    /// The content of the entry that ``next()`` gave last; it can be read once.
    package var content: PayloadReader { PayloadReader(walk.payload) }

    /// Writes the content of the entry that ``next()`` gave last, instead of reading it, and closes the file.
    ///
    /// - Parameter file: Empty, and open for writing.
    /// - Throws: ``ArchiveError`` with `truncated`, `damaged`, `noSpace` or `system`; the file is closed then too.
    package func extract(takingOwnershipOf file: FileDescriptor) throws(ArchiveError) {
        let writer = FileContentWriter(takingOwnershipOf: file, leavesHoles: false)
        guard let entry = current?.entry, entry.hasContent else { return try writer.finish(byteCount: 0) }
        try writer.write(entry, from: walk.reader)
    }

    /// The entries that were left out so far, and why; at most a thousand.
    package var refused: [RefusedEntry] { walk.refused }

    /// How many bytes of the archive in the package were read so far, still compressed.
    package var bytesRead: Int64 { walk.reader.bytesRead }

    /// The size of the package file, in bytes.
    package var byteCount: Int64 { walk.payload.byteCount }
}

extension FileContentWriter {
    /// Writes the content of an entry of a package, and finishes the file.
    ///
    /// - Throws: ``ArchiveError`` with `truncated`, `damaged`, `noSpace` or `system`.
    func write(_ entry: ArchiveEntry, from reader: ArchiveReader) throws(ArchiveError) {
        let byteCount = entry.byteCount
        while let block = try reader.nextBlock() {
            guard block.offset >= 0, block.offset <= byteCount, Int64(block.bytes.count) <= byteCount - block.offset
            else { throw ArchiveError(.damaged, "a file of the package is longer than its header says") }
            try write(block)
        }
        // gdb warns of a program that is newer than the core, and it would be if it had the time of unpacking.
        try finish(byteCount: byteCount, modified: entry.modified)
    }
}
