import CArchive
import Glibc
package import SystemPackage

/// Decompresses a single file, such as `Packages.xz`, into a new file. Blocking.
///
/// - Parameters:
///   - file: The compressed file; several streams behind one another count as one.
///   - output: Where the content goes; what is there is replaced.
///   - limit: The most that the content may have, in bytes: a bomb stops there.
/// - Returns: The size of the content, in bytes.
/// - Throws: ``ArchiveError`` with `tooManyBytes` past the limit, `damaged`, `notAnArchive`, `noSpace` or `system`.
@discardableResult
package func decompressFile(
    _ file: FilePath, to output: FilePath, limit: Int64
) throws(ArchiveError) -> Int64 {
    let stream = try CompressedStream(file)
    let descriptor: FileDescriptor
    do {
        descriptor = try FileDescriptor.open(
            output, .writeOnly, options: [.create, .truncate, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
        throw ArchiveError("make the file for the content", errno: (error as? Errno ?? .ioError).rawValue)
    }
    do throws(ArchiveError) {
        let count = try stream.copy(to: descriptor, limit: limit)
        try systemCall("close the file with the content") { () throws in try descriptor.close() }
        return count
    } catch {
        close(descriptor.rawValue)
        throw error
    }
}

/// One compressed stream in libarchive's `raw` format, whose only entry is the content.
private final class CompressedStream {
    private let archive: OpaquePointer

    init(_ file: FilePath) throws(ArchiveError) {
        guard let archive = archive_read_new() else {
            throw ArchiveError("begin to decompress", errno: ENOMEM)
        }
        self.archive = archive
        let statuses = [
            archive_read_support_format_raw(archive), archive_read_support_filter_gzip(archive),
            archive_read_support_filter_xz(archive), archive_read_support_filter_bzip2(archive),
            archive_read_support_filter_zstd(archive),
        ]
        // ARCHIVE_WARN would mean that libarchive is going to start an external program for one of them.
        guard statuses.allSatisfy({ $0 == ARCHIVE_OK }) else {
            throw ArchiveError(.unsupported, "this host's libarchive lacks gzip, xz, bzip2 or zstd")
        }
        var entry: OpaquePointer?
        try check(archive_read_open_filename(archive, file.string, 262_144))
        try check(archive_read_next_header(archive, &entry))
    }

    deinit { archive_read_free(archive) }

    func copy(to descriptor: FileDescriptor, limit: Int64) throws(ArchiveError) -> Int64 {
        var total: Int64 = 0
        while true {
            var bytes: UnsafeRawPointer?
            var count = 0
            var offset: la_int64_t = 0
            let status = archive_read_data_block(archive, &bytes, &count, &offset)
            if status == ARCHIVE_EOF { return total }
            try check(status)
            total += Int64(count)
            guard total <= limit else {
                throw ArchiveError(.tooManyBytes, "the content has more than \(limit) bytes")
            }
            let block = UnsafeRawBufferPointer(start: bytes, count: count)
            try systemCall("write the content") { () throws in _ = try descriptor.writeAll(block) }
        }
    }

    private func check(_ status: Int32) throws(ArchiveError) {
        if status == ARCHIVE_OK { return }
        let text = archive_error_string(archive).map { String(cString: $0) } ?? "libarchive answered \(status)"
        throw ArchiveError(.damaged, "the compressed file is damaged: \(text)")
    }
}

private func systemCall(_ attempt: String, _ body: () throws -> Void) throws(ArchiveError) {
    do { try body() } catch {
        throw ArchiveError(attempt, errno: (error as? Errno ?? .ioError).rawValue)
    }
}
