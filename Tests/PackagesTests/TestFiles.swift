import Archives
import Glibc
import SystemPackage

func makeDirectory(_ path: FilePath) throws {
    guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
}

func makeLink(_ path: FilePath, to target: String) throws {
    guard symlink(target, path.string) == 0 else { throw Errno(rawValue: errno) }
}

func write(_ text: String, to path: FilePath) throws {
    let file = try FileDescriptor.open(path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    try file.closeAfter { _ = try file.writeAll(Array(text.utf8)) }
}

func controlStanza(of package: FilePath) throws -> String { try debianControl(of: package) }

func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }

/// Sets a file's time of change as if it had been used so long ago.
func setLastUse(_ path: FilePath, secondsAgo: Int) throws {
    let moment = timespec(tv_sec: time(nil) - secondsAgo, tv_nsec: 0)
    guard utimensat(AT_FDCWD, path.string, [moment, moment], 0) == 0 else { throw Errno(rawValue: errno) }
}

func status(_ path: FilePath) throws -> stat {
    var status = stat()
    guard lstat(path.string, &status) == 0 else { throw Errno(rawValue: errno) }
    return status
}

func isDirectory(_ path: FilePath) -> Bool { (try? status(path).st_mode & S_IFMT == S_IFDIR) ?? false }
