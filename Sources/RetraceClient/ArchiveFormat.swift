package import Archives

/// How a crash is packed for the way to the server; all of them are tar inside.
package enum ArchiveFormat: String, Hashable, Sendable, CaseIterable {
    case xz
    case zstd
    case gzip
    case tar

    /// The `Content-Type` by which the server knows it.
    package var mediaType: String {
        switch self {
        case .xz: "application/x-xz-compressed-tar"
        case .zstd: "application/zstd"
        case .gzip: "application/x-gzip"
        case .tar: "application/x-tar"
        }
    }

    package var compression: ArchiveWriter.Compression {
        switch self {
        // ABRT's level; the higher ones cost minutes on a large core and gain little.
        case .xz: .xz(level: 2)
        case .zstd: .zstd
        case .gzip: .gzip
        case .tar: .none
        }
    }
}
