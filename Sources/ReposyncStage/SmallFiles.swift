import Glibc
import SystemPackage

/// The bytes of a file of at most `limit` bytes. Blocking.
func readFile(_ path: FilePath, limit: Int) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
    return try file.closeAfter {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = try chunk.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > limit { throw Errno.fileTooLarge }
        }
    }
}

/// Writes a file for everybody to read. Blocking.
func writeFile(_ bytes: [UInt8], to path: FilePath) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    try file.closeAfter { _ = try file.writeAll(bytes) }
}

/// Flushes a file and renames it over another. Blocking.
func publish(_ aside: FilePath, as path: FilePath) throws {
    let file = try FileDescriptor.open(aside, .readOnly, options: .closeOnExec)
    try file.closeAfter {
        guard fchmod(file.rawValue, 0o644) == 0, fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }
    guard rename(aside.string, path.string) == 0 else { throw Errno(rawValue: errno) }
}

/// Removes a file; one that is not there is fine. Blocking.
func removeFile(_ path: FilePath) throws {
    guard unlink(path.string) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
}

/// Makes a directory and those above it, for everybody to read. Blocking.
func makeDirectories(_ path: FilePath) throws {
    if mkdir(path.string, 0o755) == 0 {
        // The umask of the service must not decide whether other services can read the mirror.
        guard chmod(path.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
        return
    }
    switch errno {
    case EEXIST: return
    case ENOENT where path.removingLastComponent() != path:
        try makeDirectories(path.removingLastComponent())
        try makeDirectories(path)
    case let number: throw Errno(rawValue: number)
    }
}

/// The size of a regular file in bytes; nil when there is none. Blocking.
func fileSize(_ path: FilePath) -> UInt64? {
    var status = stat()
    guard stat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return UInt64(status.st_size)
}

/// Blocking.
func isDirectory(_ path: FilePath) -> Bool {
    var status = stat()
    return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// An empty folder for the files of one synchronisation; what a dead one left behind is removed. Blocking.
func makeWorkFolder(_ path: FilePath) throws {
    try makeDirectories(path)
    for name in try names(in: path) { try removeFile(path.appending(name)) }
}
