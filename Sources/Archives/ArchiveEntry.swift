/// What one header of an archive says. None of it has been checked.
package struct ArchiveEntry: Hashable, Sendable {
    /// The name as it stands in the archive, byte for byte; it need not be UTF-8.
    package let path: [UInt8]
    package let kind: Kind
    /// The size that the header announces, in bytes; negative where it is absurd.
    package let byteCount: Int64
    /// The permission bits, with setuid, setgid and sticky.
    package let permissions: UInt32
    /// Where a symbolic link points, or which earlier entry a hard link repeats.
    package let linkTarget: [UInt8]?
    /// When the content was last changed, in seconds since the epoch of Unix.
    package let modified: Int64

    /// Whether the entry's bytes are a file's; cpio keeps the target of a symbolic link as content.
    var hasContent: Bool { kind == .regular || kind == .hardLink }

    /// What the entry makes.
    package enum Kind: String, Hashable, Sendable {
        case regular = "regular file"
        case directory
        case symbolicLink = "symbolic link"
        case hardLink = "hard link"
        case characterDevice = "character device"
        case blockDevice = "block device"
        case fifo = "FIFO"
        case socket
        case unknown = "thing of an unknown kind"
    }

    package init(
        path: [UInt8], kind: Kind, byteCount: Int64, permissions: UInt32, linkTarget: [UInt8]?, modified: Int64 = 0
    ) {
        self.path = path
        self.kind = kind
        self.byteCount = byteCount
        self.permissions = permissions
        self.linkTarget = linkTarget
        self.modified = modified
    }
}

/// A piece of an entry's content.
package struct ArchiveBlock {
    /// Where the piece stands in the file, in bytes. What lies between pieces is a hole and reads as zeros.
    package let offset: Int64
    /// The bytes, which belong to libarchive: they are gone with the next call to the reader.
    package let bytes: UnsafeRawBufferPointer
}

/// An archive format that we let libarchive look for.
package enum ArchiveFormat: Hashable, Sendable {
    /// ustar, pax and GNU tar.
    case tar
    /// The formats of cpio(5), as RPM's payload has them.
    case cpio
    /// No format at all: whatever no other one claims, as a single entry of unknown size.
    case raw
}

/// A compression that may lie round an archive.
package enum ArchiveCompression: String, Hashable, Sendable, CaseIterable {
    case gzip
    case bzip2
    case lzma
    case xz
    case zstd
    /// Not a compression: the lead and headers of an RPM package, which libarchive peels off as a filter.
    case rpm
}
