import Glibc
import SystemPackage
import TestFixtures

func makeDirectories(_ path: FilePath) throws {
    guard mkdir(path.string, 0o755) != 0, errno != EEXIST else { return }
    guard errno == ENOENT else { throw Errno(rawValue: errno) }
    try makeDirectories(path.removingLastComponent())
    guard mkdir(path.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
}

/// Writes a new file, and makes the directories that lead to it.
func write(_ bytes: [UInt8], to path: FilePath) throws {
    try makeDirectories(path.removingLastComponent())
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
    _ = try file.closeAfter { try file.writeAll(bytes) }
}

func append(_ text: String, to path: FilePath) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite, .groupRead, .otherRead])
    _ = try file.closeAfter { try file.writeAll(Array(text.utf8)) }
}

/// Whether there is anything at `path`, a dangling link included.
func exists(_ path: FilePath) -> Bool {
    var status = stat()
    return lstat(path.string, &status) == 0
}

/// nil when there is nothing to be read.
func contents(_ path: FilePath) -> String? {
    guard let file = try? FileDescriptor.open(path, .readOnly) else { return nil }
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = try? file.closeAfter { try buffer.withUnsafeMutableBytes { try file.read(into: $0) } }
    return count.map { String(decoding: buffer[..<$0], as: UTF8.self) }
}

/// Where a link leads, as it is written; nil when there is no link.
func target(_ path: FilePath) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink(path.string, &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

func status(_ path: FilePath) throws -> stat {
    var status = stat()
    guard lstat(path.string, &status) == 0 else { throw Errno(rawValue: errno) }
    return status
}

/// The paths of the regular files below a directory, relative to it; links are not followed.
func regularFiles(below directory: FilePath) -> Set<String> {
    var found: Set<String> = []
    var rest: [FilePath] = [""]
    while let path = rest.popLast() {
        for name in FolderContents.names(in: directory.pushing(path)) {
            let mode = (FolderContents.status(directory.pushing(path).appending(name))?.mode ?? 0) & S_IFMT
            if mode == S_IFDIR { rest.append(path.appending(name)) }
            if mode == S_IFREG { found.insert(path.appending(name).string) }
        }
    }
    return found
}
