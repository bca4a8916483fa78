import Glibc
import SystemPackage

/// What stat(2) says of a file, so that a change of its contents is seen without reading it.
struct FileStamp: Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int
    private let nanoseconds: Int

    /// - Throws: ``CertificateFault`` when there is no such file.
    init(of path: FilePath) throws(CertificateFault) {
        var answer = stat()
        guard path.withPlatformString({ stat($0, &answer) }) == 0 else {
            throw CertificateFault("\(path) cannot be looked at: \(Errno(rawValue: errno))")
        }
        device = UInt64(answer.st_dev)
        inode = UInt64(answer.st_ino)
        size = Int64(answer.st_size)
        seconds = answer.st_mtim.tv_sec
        nanoseconds = answer.st_mtim.tv_nsec
    }
}
