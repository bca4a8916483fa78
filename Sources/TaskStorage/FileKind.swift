import Glibc
package import SystemPackage

/// What a name leads to; a symbolic link is not followed.
package enum FileKind: Sendable {
    case regular
    case directory
    /// A link, a device and the like.
    case other

    /// nil where nothing is. Blocking.
    package init?(of path: FilePath) {
        var facts = stat()
        guard path.withPlatformString({ lstat($0, &facts) }) == 0 else { return nil }
        self =
            switch facts.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            default: .other
            }
    }
}
