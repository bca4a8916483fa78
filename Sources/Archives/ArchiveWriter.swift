import CArchive
import Glibc
package import SystemPackage

/// Writes a tar archive, front to back, into a file.
///
/// One thread at a time may use it. What was written is an archive only after ``finish()``.
package final class ArchiveWriter {
    /// How the archive is compressed.
    package enum Compression: Hashable, Sendable {
        case none
        case gzip
        /// Levels 0 to 9; ABRT's client packs with 2.
        case xz(level: Int)
        case zstd
    }

    private let archive: OpaquePointer

    /// - Parameters:
    ///   - descriptor: The file, borrowed; the archive is written from its current position.
    ///   - compression: How to compress; xz uses all cores.
    /// - Throws: ``ArchiveError`` with `unsupported` or `system`.
    package init(_ descriptor: FileDescriptor, compression: Compression) throws(ArchiveError) {
        guard let archive = archive_write_new() else { throw ArchiveError("begin an archive", errno: ENOMEM) }
        self.archive = archive
        // "Restricted" pax is plain ustar wherever that can express the entry.
        try check(archive_write_set_format_pax_restricted(archive))
        try check(archive_write_set_bytes_in_last_block(archive, 1))
        switch compression {
        case .none: try check(archive_write_add_filter_none(archive))
        case .gzip: try check(archive_write_add_filter_gzip(archive))
        case .xz(let level):
            try check(archive_write_add_filter_xz(archive))
            try check(archive_write_set_filter_option(archive, "xz", "compression-level", "\(level)"))
            try check(archive_write_set_filter_option(archive, "xz", "threads", "0"))
        case .zstd: try check(archive_write_add_filter_zstd(archive))
        }
        try check(archive_write_open_fd(archive, descriptor.rawValue))
    }

    deinit { archive_write_free(archive) }

    /// Adds a regular file with the given content.
    ///
    /// - Throws: ``ArchiveError`` with `noSpace` or `system`.
    package func addFile(_ name: String, content: [UInt8]) throws(ArchiveError) {
        try writeHeader(name, kind: .regular, byteCount: Int64(content.count))
        try content.withUnsafeBufferPointer { bytes throws(ArchiveError) in try write(UnsafeRawBufferPointer(bytes)) }
        try check(archive_write_finish_entry(archive))
    }

    /// Adds a regular file with the content of a file on disk; its holes, if there are many, are not even read.
    ///
    /// - Parameters:
    ///   - name: The name in the archive.
    ///   - file: The file, borrowed. What it grows by meanwhile is left out.
    ///   - progress: Called now and then with the bytes of this file that are done.
    /// - Throws: ``ArchiveError`` with `noSpace` or `system`, the latter also when the file shrinks meanwhile.
    package func addFile(
        _ name: String, from file: FileDescriptor, progress: (Int64) -> Void = { _ in }
    ) throws(ArchiveError) {
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else { throw ArchiveError("look at \(name)", errno: errno) }
        let byteCount = Int64(status.st_size)
        let extents = try dataExtents(of: file, byteCount: byteCount)
        try writeHeader(name, kind: .regular, byteCount: byteCount, extents: extents)
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { block.deallocate() }
        var position: Int64 = 0
        for extent in extents ?? [0..<byteCount] {
            try writeHole(extent.lowerBound - position)
            position = extent.lowerBound
            while position < extent.upperBound {
                let wanted = Int(min(Int64(block.count), extent.upperBound - position))
                let count = pread(file.rawValue, block.baseAddress, wanted, off_t(position))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw ArchiveError("read \(name)", errno: count < 0 ? errno : ENODATA) }
                try write(UnsafeRawBufferPointer(rebasing: block.prefix(count)))
                position += Int64(count)
                progress(position)
            }
        }
        try writeHole(byteCount - position)
        progress(byteCount)
        try check(archive_write_finish_entry(archive))
    }

    /// Adds an entry of any other kind.
    ///
    /// - Throws: ``ArchiveError`` with `noSpace` or `system`.
    package func addEntry(
        _ name: String, kind: ArchiveEntry.Kind, linkTarget: String? = nil, permissions: UInt32 = 0o644
    ) throws(ArchiveError) {
        try writeHeader(name, kind: kind, byteCount: 0, linkTarget: linkTarget, permissions: permissions)
        try check(archive_write_finish_entry(archive))
    }

    /// Writes the end of the archive.
    ///
    /// - Throws: ``ArchiveError`` with `noSpace` or `system`.
    package func finish() throws(ArchiveError) { try check(archive_write_close(archive)) }

    private func writeHeader(
        _ name: String, kind: ArchiveEntry.Kind, byteCount: Int64, linkTarget: String? = nil,
        permissions: UInt32 = 0o644, extents: [Range<Int64>]? = nil
    ) throws(ArchiveError) {
        guard let entry = archive_entry_new() else { throw ArchiveError("describe \(name)", errno: ENOMEM) }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, name)
        archive_entry_set_perm(entry, permissions)
        archive_entry_set_size(entry, byteCount)
        archive_entry_set_filetype(entry, kind.fileType)
        if kind == .hardLink { archive_entry_set_hardlink(entry, linkTarget) }
        if kind == .symbolicLink { archive_entry_set_symlink(entry, linkTarget) }
        for extent in extents ?? [] {
            archive_entry_sparse_add_entry(entry, extent.lowerBound, Int64(extent.count))
        }
        try check(archive_write_header(archive, entry))
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = archive_write_data(archive, rest.baseAddress, rest.count)
            guard count > 0 else { throw failure() }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
    }

    /// libarchive wants the bytes of holes too; it leaves them out of the archive by itself.
    private func writeHole(_ byteCount: Int64) throws(ArchiveError) {
        var rest = byteCount
        while rest > 0 {
            let count = min(rest, Int64(Self.zeros.count))
            try Self.zeros.withUnsafeBufferPointer { zeros throws(ArchiveError) in
                try write(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: zeros.prefix(Int(count)))))
            }
            rest -= count
        }
    }

    private func check(_ status: Int32) throws(ArchiveError) {
        guard status == ARCHIVE_OK || status == ARCHIVE_WARN else { throw failure() }
    }

    private func failure() -> ArchiveError {
        let text = archive_error_string(archive).map { String(cString: $0) } ?? "libarchive gives no reason"
        let number = archive_errno(archive)
        if number == ENOSPC || number == EDQUOT { return ArchiveError("write the archive", errno: number) }
        return ArchiveError(.system, "cannot write the archive: \(text)")
    }

    private static let zeros = [UInt8](repeating: 0, count: 1 << 20)
}

extension ArchiveEntry.Kind {
    fileprivate var fileType: UInt32 {
        switch self {
        case .regular, .hardLink, .unknown: S_IFREG
        case .directory: S_IFDIR
        case .symbolicLink: S_IFLNK
        case .characterDevice: S_IFCHR
        case .blockDevice: S_IFBLK
        case .fifo: S_IFIFO
        case .socket: S_IFSOCK
        }
    }
}
