import Archives
import FoundationEssentials
import Glibc
import SystemPackage
import TaskStorage

/// Packs a task's files into `<archive>/<id>-<YYYYmmddHHMMSS>.tar.zst`, as upstream's archive mode does. Blocking.
///
/// The file appears whole or not at all. The task itself stays as it is. What is in the making at that moment, because a
/// kept dump is being made smaller, is left out.
///
/// - Parameter seconds: Now, in seconds since the epoch.
/// - Throws: `Errno`, or ``Archives/ArchiveError``.
func pack(_ directory: TaskDirectory, into archive: FilePath, seconds: Int64) throws {
    let date = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    let stamp = String(date.filter { $0.isASCII && $0.isNumber })
    let target = archive.appending("\(directory.task)-\(stamp).tar.zst")
    let partial = FilePath(target.string + ".partial")
    do {
        let output = try FileDescriptor.open(
            partial, .writeOnly, options: [.create, .truncate, .noFollow, .closeOnExec],
            permissions: [.ownerReadWrite])
        try output.closeAfter {
            let writer = try ArchiveWriter(output, compression: .zstd)
            let session = (directory.session.lastComponent?.string ?? "") + "/"
            for file in try directory.files() where !file.name.hasPrefix(session) {
                // What was there a moment ago may be gone, and what is no regular file is not a result.
                guard let input = try? ResultFile(at: file.path) else { continue }
                try input.withDescriptor { try writer.addFile("\(directory.task)/\(file.name)", from: $0) }
            }
            try writer.finish()
            guard fsync(output.rawValue) == 0 else { throw Errno(rawValue: errno) }
        }
        guard rename(partial.string, target.string) == 0 else { throw Errno(rawValue: errno) }
    } catch {
        unlink(partial.string)
        throw error
    }
}
