import Glibc
import SystemPackage

/// The bytes of a file that is small by its nature. Blocking.
///
/// - Throws: `Errno`, and `Errno.fileTooLarge` past `limit` bytes.
func readSmallFile(_ path: FilePath, limit: Int) throws(Errno) -> [UInt8] {
    let file = try opening { () throws in try FileDescriptor.open(path, .readOnly, options: .closeOnExec) }
    defer { try? file.close() }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while true {
        let count = try opening { () throws in try chunk.withUnsafeMutableBytes { try file.read(into: $0) } }
        if count == 0 { return bytes }
        bytes += chunk[..<count]
        if bytes.count > limit { throw Errno.fileTooLarge }
    }
}

/// Makes a file that must not be there yet. Blocking.
func writeNewFile(_ path: FilePath, _ bytes: [UInt8]) throws(Errno) {
    try opening { () throws in
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }
}

/// Writes `bytes` beside `path`, then renames over it, so that readers see the old file or the new one. Blocking.
///
/// - Parameter flushing: Whether that holds after a power failure too. It may wait for everybody's data.
func replaceFile(_ path: FilePath, with bytes: [UInt8], flushing: Bool = true) throws(Errno) {
    let aside = FilePath(path.string + ".\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp")
    do throws(Errno) {
        try writeNewFile(aside, bytes)
        guard !flushing else { return try publishFile(aside, as: path) }
        if rename(aside.string, path.string) != 0 { throw Errno(rawValue: errno) }
    } catch {
        unlink(aside.string)
        throw error
    }
}

/// Deletes what a process that died left beside `path` when it was about to replace it, a day after. Blocking.
func removeStaleFiles(beside path: FilePath) {
    guard let name = path.lastComponent?.string else { return }
    let folder = path.removingLastComponent()
    // What cannot be listed or deleted only takes space, and is tried again next time.
    for other in (try? namesInDirectory(folder)) ?? [] where other.hasPrefix(name + ".") && other.hasSuffix(".tmp") {
        var status = stat()
        let stale = folder.appending(other)
        if lstat(stale.string, &status) == 0, status.st_mtim.tv_sec < time(nil) - 86400 { unlink(stale.string) }
    }
}

/// Flushes `aside` to the disk and renames it to `path`. Blocking.
func publishFile(_ aside: FilePath, as path: FilePath) throws(Errno) {
    try opening { () throws in
        let file = try FileDescriptor.open(aside, .readOnly, options: .closeOnExec)
        try file.closeAfter { if fsync(file.rawValue) != 0 { throw Errno(rawValue: errno) } }
        if rename(aside.string, path.string) != 0 { throw Errno(rawValue: errno) }
    }
}

/// Gives System's untyped throws their type: everything that `FileDescriptor` throws is an `Errno`.
func opening<Value>(_ body: () throws -> Value) throws(Errno) -> Value {
    do { return try body() } catch let error as Errno { throw error } catch { throw Errno.ioError }
}
