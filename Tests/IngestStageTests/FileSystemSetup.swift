import Glibc
import SystemPackage

enum FileSystemSetup {
    static func makeDirectory(_ path: FilePath) throws {
        guard mkdir(path.string, 0o711) == 0 else { throw Errno(rawValue: errno) }
    }
}
