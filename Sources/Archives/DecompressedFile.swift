import CArchive
import Glibc
package import SystemPackage

/// The content of one compressed file (gzip, xz, bzip2, zstd, or plain), block by block. Blocking.
///
/// Not to be used by two threads at once.
package final class DecompressedFile {
    private let archive: OpaquePointer
    private let isEmpty: Bool
    private let limit: Int64
    private var total: Int64 = 0

    /// - Parameter limit: The most that the content may have, in bytes: a bomb stops there.
    /// - Throws: ``ArchiveError``.
    package init(_ file: FilePath, limit: Int64) throws(ArchiveError) {
        self.limit = limit
        (archive, isEmpty) = try openCompressed(file)
    }

    deinit { archive_read_free(archive) }

    /// Hands out the next block; the bytes are valid during the call only.
    ///
    /// - Returns: What `body` gave, or nil at the end of the content.
    /// - Throws: ``ArchiveError`` with `tooManyBytes` past the limit, or `damaged`.
    package func nextBlock<Value>(
        _ body: (UnsafeRawBufferPointer) -> Value
    ) throws(ArchiveError) -> Value? {
        guard !isEmpty else { return nil }
        var bytes: UnsafeRawPointer?
        var count = 0
        var offset: la_int64_t = 0
        let status = archive_read_data_block(archive, &bytes, &count, &offset)
        if status == ARCHIVE_EOF { return nil }
        try checkDecompression(status, of: archive)
        total += Int64(count)
        guard total <= limit else {
            throw ArchiveError(.tooManyBytes, "the content has more than \(limit) bytes")
        }
        return body(UnsafeRawBufferPointer(start: bytes, count: count))
    }
}

/// Opens one compressed stream in libarchive's `raw` format, whose only entry is the content; content without a byte is
/// of the format `empty`, which has no entry.
private func openCompressed(_ file: FilePath) throws(ArchiveError) -> (OpaquePointer, isEmpty: Bool) {
    guard let archive = archive_read_new() else {
        throw ArchiveError("begin to decompress", errno: ENOMEM)
    }
    do throws(ArchiveError) {
        let statuses = [
            archive_read_support_format_raw(archive), archive_read_support_format_empty(archive),
            archive_read_support_filter_gzip(archive), archive_read_support_filter_xz(archive),
            archive_read_support_filter_bzip2(archive), archive_read_support_filter_zstd(archive),
        ]
        // ARCHIVE_WARN would mean that libarchive is going to start an external program for one of them.
        guard statuses.allSatisfy({ $0 == ARCHIVE_OK }) else {
            throw ArchiveError(.unsupported, "this host's libarchive lacks gzip, xz, bzip2 or zstd")
        }
        var entry: OpaquePointer?
        try checkDecompression(archive_read_open_filename(archive, file.string, 262_144), of: archive)
        // A stream that breaks before its first byte looks empty, too; only opening it tells.
        let trouble = archive_errno(archive)
        let text = archive_error_string(archive).map { String(cString: $0) } ?? "it breaks off"
        let status = archive_read_next_header(archive, &entry)
        guard status == ARCHIVE_EOF else {
            try checkDecompression(status, of: archive)
            return (archive, false)
        }
        guard trouble == 0 else { throw ArchiveError(.damaged, "the compressed file is damaged: \(text)") }
        return (archive, true)
    } catch {
        archive_read_free(archive)
        throw error
    }
}

private func checkDecompression(_ status: Int32, of archive: OpaquePointer) throws(ArchiveError) {
    if status == ARCHIVE_OK { return }
    let text = archive_error_string(archive).map { String(cString: $0) } ?? "libarchive answered \(status)"
    throw ArchiveError(.damaged, "the compressed file is damaged: \(text)")
}
