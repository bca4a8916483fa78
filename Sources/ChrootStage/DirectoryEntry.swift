import Glibc

/// A name in a directory; the name need not be text.
struct DirectoryEntry {
    /// With the NUL at the end.
    let name: [CChar]
    let kind: Kind

    enum Kind {
        case directory, file, link
        /// A device, a socket or a pipe.
        case other

        /// nil when the file system does not say.
        init?(_ type: UInt8) {
            switch Int(type) {
            case Int(DT_DIR): self = .directory
            case Int(DT_REG): self = .file
            case Int(DT_LNK): self = .link
            case Int(DT_UNKNOWN): return nil
            default: self = .other
            }
        }

        init(mode: mode_t) {
            switch mode & S_IFMT {
            case S_IFDIR: self = .directory
            case S_IFREG: self = .file
            case S_IFLNK: self = .link
            default: self = .other
            }
        }
    }

    /// The name as text, for sentences; what is no UTF-8 is replaced.
    var text: String { String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) }
}

extension String {
    /// The text as a name for ``DirectoryHandle``.
    var fileName: [CChar] { Array(utf8CString) }
}
