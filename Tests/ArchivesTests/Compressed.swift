import Archives
import CArchive
import SystemPackage
import TestFixtures

/// What a compression makes of some bytes, by libarchive's own writer of raw streams.
func compressed(_ bytes: [UInt8], _ compression: ArchiveCompression) throws -> [UInt8] {
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
    var output = [UInt8](repeating: 0, count: bytes.count + (1 << 16))
    var used = 0
    let status = output.withUnsafeMutableBytes { buffer in
        guard archive_write_open_memory(archive, buffer.baseAddress, buffer.count, &used) == ARCHIVE_OK,
            let entry = archive_entry_new()
        else { return ARCHIVE_FATAL }
        defer { archive_entry_free(entry) }
        archive_entry_set_filetype(entry, 0o100000)
        guard archive_write_header(archive, entry) == ARCHIVE_OK,
            archive_write_data(archive, bytes, bytes.count) == bytes.count
        else { return ARCHIVE_FATAL }
        return archive_write_close(archive)
    }
    guard status == ARCHIVE_OK else { throw Errno.ioError }
    return Array(output.prefix(used))
}

/// Runs `body` with the bytes as a file in a folder of their own.
@discardableResult
func withFile<Value>(_ bytes: [UInt8], _ body: (_ file: FilePath, _ folder: FilePath) throws -> Value) throws -> Value {
    try ScratchDirectory.with { folder in
        try body(try FolderContents.write(bytes, to: folder.appending("file")), folder)
    }
}

/// The content of a file; nil when it cannot be read.
func content(_ file: FilePath) -> [UInt8]? { try? FolderContents.read(file) }

/// Some bytes that no compression makes small.
func noise(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    var words = (0..<(count / 8 + 1)).map { _ in generator.next() }
    return words.withUnsafeMutableBytes { Array($0.prefix(count)) }
}

let realCompressions: [ArchiveCompression] = [.gzip, .bzip2, .lzma, .xz, .zstd]
