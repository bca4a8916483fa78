import CArchive
import Glibc
package import SystemPackage

/// Reads an archive from front to back through libarchive, one entry after the other.
///
/// One thread at a time may use it. It never calls an external program, changes no locale and gives names as raw bytes.
package final class ArchiveReader {
    private let archive: OpaquePointer
    private let source: ArchiveSource
    /// The compressions found round the archive, the outermost first.
    package private(set) var compressions: [ArchiveCompression] = []

    /// - Parameters:
    ///   - descriptor: The file, borrowed: the caller keeps it open as long as the reader lives.
    ///   - range: Which bytes of the file hold the archive; nil for all of it.
    ///   - formats: The formats to look for.
    ///   - compressions: The compressions to look for; no compression at all is always allowed.
    /// - Throws: ``ArchiveError`` with `notAnArchive` when the bytes are none of these, `truncated` when they end at once.
    package init(
        _ descriptor: FileDescriptor, range: Range<Int64>? = nil, formats: Set<ArchiveFormat>,
        compressions: Set<ArchiveCompression>
    ) throws(ArchiveError) {
        guard let archive = archive_read_new() else {
            throw ArchiveError("begin to read an archive", errno: ENOMEM)
        }
        self.archive = archive
        source = ArchiveSource(descriptor, range: range ?? 0..<Int64.max)
        for format in formats {
            switch format {
            case .tar: try check(archive_read_support_format_tar(archive))
            case .cpio: try check(archive_read_support_format_cpio(archive))
            case .raw: try check(archive_read_support_format_raw(archive))
            }
        }
        for compression in compressions { try support(compression) }
        try open()
    }

    deinit { archive_read_free(archive) }

    /// How many bytes of the file were taken so far, still compressed.
    package var bytesRead: Int64 { source.bytesRead }

    /// How many bytes of the archive were taken so far, without the compression: headers, padding and all.
    package var bytesUnpacked: Int64 { archive_filter_bytes(archive, 0) }

    /// Whether the bytes are in no archive format, so that the one entry is all of them and its size unknown. Known after
    /// the first ``nextEntry()``.
    package var isRaw: Bool { archive_format(archive) == ARCHIVE_FORMAT_RAW }

    /// The next entry, or nil after the last one. What was not read of the entry before is skipped.
    ///
    /// - Throws: ``ArchiveError`` with `truncated`, `damaged`, `notAnArchive` or `system`.
    package func nextEntry() throws(ArchiveError) -> ArchiveEntry? {
        var entry: OpaquePointer?
        let status = archive_read_next_header(archive, &entry)
        if status == ARCHIVE_EOF { return nil }
        try check(status)
        // libarchive 3.6.2 only warns, with an entry of nothing, when too many special headers follow one another.
        guard let entry = entry.map({ ArchiveEntry($0) }), !(entry.path.isEmpty && entry.kind == .unknown) else {
            throw ArchiveError(.damaged, "the archive has headers that describe nothing")
        }
        return entry
    }

    /// The next piece of the current entry's content, or nil after the last one.
    ///
    /// - Throws: ``ArchiveError`` with `truncated`, `damaged` or `system`.
    package func nextBlock() throws(ArchiveError) -> ArchiveBlock? {
        var bytes: UnsafeRawPointer?
        var count = 0
        var offset: la_int64_t = 0
        let status = archive_read_data_block(archive, &bytes, &count, &offset)
        if status == ARCHIVE_EOF { return nil }
        try check(status)
        return ArchiveBlock(offset: offset, bytes: UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// Ends the reading and says what libarchive kept to itself until now.
    ///
    /// - Throws: ``ArchiveError`` as ``nextEntry()`` does.
    package func close() throws(ArchiveError) { try check(archive_read_close(archive)) }

    private func open() throws(ArchiveError) {
        try check(archive_read_open(archive, Unmanaged.passUnretained(source).toOpaque(), nil, readFromSource, nil))
        for index in 0..<max(archive_filter_count(archive) - 1, 0) {
            let code = archive_filter_code(archive, index)
            guard let compression = ArchiveCompression.allCases.first(where: { $0.filterCode == code }) else {
                throw ArchiveError(.unsupported, "the archive has a compression that was not asked for")
            }
            compressions.append(compression)
        }
    }

    private func support(_ compression: ArchiveCompression) throws(ArchiveError) {
        let status =
            switch compression {
            case .gzip: archive_read_support_filter_gzip(archive)
            case .bzip2: archive_read_support_filter_bzip2(archive)
            case .lzma: archive_read_support_filter_lzma(archive)
            case .xz: archive_read_support_filter_xz(archive)
            case .zstd: archive_read_support_filter_zstd(archive)
            case .rpm: archive_read_support_filter_rpm(archive)
            }
        // ARCHIVE_WARN would mean that libarchive is going to start an external program for it.
        guard status == ARCHIVE_OK else {
            throw ArchiveError(.unsupported, "this host's libarchive was built without \(compression.rawValue)")
        }
    }

    /// Lets `ARCHIVE_OK` and `ARCHIVE_WARN` pass; any other answer would come again for ever (libarchive 3.6.2).
    private func check(_ status: Int32) throws(ArchiveError) {
        if status == ARCHIVE_OK || status == ARCHIVE_WARN { return }
        if let failure = source.failure { throw ArchiveError("read the archive", errno: failure.rawValue) }
        let text = archive_error_string(archive).map { String(cString: $0) } ?? "libarchive answered \(status)"
        // EILSEQ is libarchive's ARCHIVE_ERRNO_FILE_FORMAT on Linux; a format is known once a header was understood.
        if archive_format(archive) == 0, archive_errno(archive) == EILSEQ {
            throw ArchiveError(.notAnArchive, "the bytes are no archive that we read: \(text)")
        }
        if source.wasExhausted { throw ArchiveError(.truncated, "the archive ends too early: \(text)") }
        throw ArchiveError(.damaged, "the archive is damaged: \(text)")
    }
}

/// libarchive's read callback; `context` is the reader's ``ArchiveSource``, which outlives the libarchive handle.
private func readFromSource(
    _ archive: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ result: UnsafeMutablePointer<UnsafeRawPointer?>?
) -> la_ssize_t {
    guard let context else { return -1 }
    return Unmanaged<ArchiveSource>.fromOpaque(context).takeUnretainedValue().read(result)
}

extension ArchiveCompression {
    var filterCode: Int32 {
        switch self {
        case .gzip: ARCHIVE_FILTER_GZIP
        case .bzip2: ARCHIVE_FILTER_BZIP2
        case .lzma: ARCHIVE_FILTER_LZMA
        case .xz: ARCHIVE_FILTER_XZ
        case .zstd: ARCHIVE_FILTER_ZSTD
        case .rpm: ARCHIVE_FILTER_RPM
        }
    }
}
