import Glibc
import SystemPackage

/// Device, inode, size and time of change of the file at `path`; nil when there is none.
func fileIdentityParts(_ path: FilePath) -> [Int64]? {
    var status = stat()
    guard stat(path.string, &status) == 0 else { return nil }
    return [
        Int64(bitPattern: UInt64(status.st_dev)), Int64(bitPattern: UInt64(status.st_ino)), Int64(status.st_size),
        Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec),
    ]
}
