import CArchive
import Glibc

extension ArchiveEntry {
    /// Copies what we need out of libarchive's entry, which the next header overwrites.
    init(_ entry: OpaquePointer) {
        let hardLink = Self.bytes(archive_entry_hardlink(entry)) ?? Self.bytes(archive_entry_hardlink_utf8(entry))
        let kind = hardLink == nil ? Self.kind(archive_entry_filetype(entry)) : .hardLink
        let symbolicLink = Self.bytes(archive_entry_symlink(entry)) ?? Self.bytes(archive_entry_symlink_utf8(entry))
        self.init(
            path: Self.bytes(archive_entry_pathname(entry)) ?? Self.bytes(archive_entry_pathname_utf8(entry)) ?? [],
            kind: kind,
            byteCount: archive_entry_size(entry),
            permissions: archive_entry_perm(entry),
            linkTarget: hardLink ?? symbolicLink,
            modified: Int64(archive_entry_mtime(entry)))
    }

    private static func kind(_ fileType: mode_t) -> Kind {
        switch fileType {
        case S_IFREG: .regular
        case S_IFDIR: .directory
        case S_IFLNK: .symbolicLink
        case S_IFCHR: .characterDevice
        case S_IFBLK: .blockDevice
        case S_IFIFO: .fifo
        case S_IFSOCK: .socket
        default: .unknown
        }
    }

    private static func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8]? {
        text.map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
}
