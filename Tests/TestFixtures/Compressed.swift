package import Archives
import CArchive
import SystemPackage

/// What a compression makes of some bytes, by libarchive's own writer of raw streams.
///
/// - Parameter times: How often the bytes follow one another in the stream.
package func compressed(
    _ bytes: [UInt8], _ compression: ArchiveCompression, times: Int = 1
) throws -> [UInt8] {
    guard let archive = archive_write_new() else { throw Errno.noMemory }
    defer { archive_write_free(archive) }
    archive_write_set_format_raw(archive)
    switch compression {
    case .gzip: archive_write_add_filter_gzip(archive)
    case .bzip2: archive_write_add_filter_bzip2(archive)
    case .lzma: archive_write_add_filter_lzma(archive)
    case .xz: archive_write_add_filter_xz(archive)
    case .zstd: archive_write_add_filter_zstd(archive)
    case .rpm: throw Errno.notSupported
    }
    var output = [UInt8](repeating: 0, count: bytes.count + (times == 1 ? 1 << 16 : 4 << 20))
    var used = 0
    let status = output.withUnsafeMutableBytes { buffer in
        guard archive_write_open_memory(archive, buffer.baseAddress, buffer.count, &used) == ARCHIVE_OK,
            let entry = archive_entry_new()
        else { return ARCHIVE_FATAL }
        defer { archive_entry_free(entry) }
        archive_entry_set_filetype(entry, 0o100000)
        guard archive_write_header(archive, entry) == ARCHIVE_OK else { return ARCHIVE_FATAL }
        for _ in 0..<times where archive_write_data(archive, bytes, bytes.count) != bytes.count {
            return ARCHIVE_FATAL
        }
        return archive_write_close(archive)
    }
    guard status == ARCHIVE_OK else { throw Errno.ioError }
    return Array(output.prefix(used))
}
