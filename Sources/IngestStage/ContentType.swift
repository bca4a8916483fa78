import Archives
import CrashModel

/// The media types of `POST /create` that ingest unpacks.
package enum ContentType: String, Hashable, Sendable, CaseIterable {
    case xz = "application/x-xz-compressed-tar"
    case gzip = "application/x-gzip"
    /// Says nothing of the compression: upstream's tar found it out by itself.
    case tar = "application/x-tar"
    case zstd = "application/zstd"
    /// Not packed: a kernel's dump as it is, or compressed somehow.
    case plain = "application/octet-stream"

    /// - Throws: ``StageError`` with `unsupported-content-type`.
    init(named name: String) throws(StageError) {
        guard let type = ContentType(rawValue: name) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw .refused(
                .unsupportedContentType, "The upload's media type is none that this server unpacks.",
                "Send a tar archive as one of \(known).")
        }
        self = type
    }

    /// Whether an archive of this type may be compressed so.
    func allows(_ compressions: [ArchiveCompression]) -> Bool {
        switch self {
        case .xz: compressions == [.xz]
        case .gzip: compressions == [.gzip]
        case .zstd: compressions == [.zstd]
        // More than one compression round another is how bombs are built.
        case .tar, .plain: compressions.count <= 1
        }
    }
}
