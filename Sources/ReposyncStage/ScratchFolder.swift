import Glibc
import SystemPackage

/// A folder for one file that a tool brings; it goes with its last reference.
final class ScratchFolder: Sendable {
    let path: FilePath

    /// Blocking.
    init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/retrace-reposync-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        path = FilePath(platformString: template)
    }

    deinit {
        // What cannot be removed is left to whoever cleans the system's folder of temporary files.
        unlink(path.appending("file").string)
        rmdir(path.string)
    }
}
