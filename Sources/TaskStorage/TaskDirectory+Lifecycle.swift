package import CrashModel
import Glibc
package import SystemPackage

extension TaskDirectory {
    /// How often another id is drawn when the drawn one is taken.
    private static let idAttempts = 50

    /// Makes a directory (mode 0711) under an id that no other task in `spool` has.
    ///
    /// mkdir(2) decides: of two requests that draw the same id one gets it and the other draws again.
    /// Blocking: call it on a thread that may wait for the disk.
    ///
    /// - Parameters:
    ///   - spool: The directory of all tasks; it must exist.
    ///   - draw: Where ids come from; the system's CSPRNG unless a test says otherwise.
    /// - Throws: `Errno` of mkdir(2); `fileExists` when fifty ids in a row were taken.
    package static func create(
        in spool: FilePath, drawing draw: () -> TaskID = TaskID.random
    ) throws(Errno) -> TaskDirectory {
        for _ in 0..<idAttempts {
            let directory = TaskDirectory(draw(), in: spool)
            if directory.path.withPlatformString({ mkdir($0, 0o711) }) == 0 {
                try directory.setMode()
                return directory
            }
            let reason = Errno(rawValue: errno)
            guard reason == .fileExists else { throw reason }
        }
        throw Errno.fileExists
    }

    /// The service's umask may have taken bits away that the sandbox's user needs to pass through.
    private func setMode() throws(Errno) {
        let descriptor = try OpenDirectory(at: path)
        guard fchmod(descriptor.number, 0o711) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Creates ``upload`` for writing (mode 0600); it must not exist yet.
    ///
    /// - Throws: `Errno` of open(2).
    package func createUpload() throws(Errno) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                upload, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
                permissions: [.ownerReadWrite])
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// Deletes the directory with everything in it; nothing to do when it is gone already.
    ///
    /// It works relative to descriptors and never goes through a symbolic link, because the names inside come from an
    /// upload and from a debugger that is taken to be compromised. Blocking.
    ///
    /// - Throws: `Errno` of the first entry that would not go.
    package func remove() throws(Errno) {
        let spool = try OpenDirectory(at: path.removingLastComponent())
        let own: OpenDirectory
        do {
            own = try OpenDirectory(task.description, in: spool)
        } catch Errno.noSuchFileOrDirectory {
            return
        }
        try own.removeContents()
        try spool.removeDirectory(task.description)
    }

    /// Whether there is nothing in the directory but, at most, an upload that may be incomplete, and its mark. Blocking.
    ///
    /// - Throws: `Errno` when the directory cannot be listed.
    package func holdsAtMostAnUpload() throws(Errno) -> Bool {
        try OpenDirectory(at: path).names().allSatisfy { $0 == upload.lastComponent?.string || $0 == "keep-dump" }
    }

    /// The files of the task, one folder deep and by name: `backtrace`, `crash/coredump`. Blocking.
    ///
    /// - Throws: `Errno` when the directory cannot be listed.
    package func files() throws(Errno) -> [(name: String, path: FilePath)] {
        let own = try OpenDirectory(at: path)
        var files: [(name: String, path: FilePath)] = []
        for name in try own.names().sorted() {
            guard let folder = try? OpenDirectory(name, in: own) else {
                files.append((name, path.appending(name)))
                continue
            }
            for inner in try folder.names().sorted() {
                files.append(("\(name)/\(inner)", path.appending(name).appending(inner)))
            }
        }
        return files
    }

    /// The ids of all task directories in `spool`, in no order; names that are no task id are left out. Blocking.
    ///
    /// - Throws: `Errno` when the spool cannot be listed.
    package static func tasks(in spool: FilePath) throws(Errno) -> [TaskID] {
        try OpenDirectory(at: spool).names().compactMap { try? TaskID($0) }
    }
}

extension TaskDirectory {
    /// Every name in a folder but `.` and `..`, in no order. Blocking.
    ///
    /// - Throws: `Errno` when it cannot be listed.
    package static func names(in folder: FilePath) throws(Errno) -> [String] { try OpenDirectory(at: folder).names() }
}

/// The bytes that an unprivileged process may still write to the file system of `path` (statvfs(3)). Blocking.
///
/// - Throws: `Errno` of statvfs(3).
package func availableBytes(at path: FilePath) throws(Errno) -> UInt64 {
    var answer = statvfs()
    guard path.withPlatformString({ statvfs($0, &answer) }) == 0 else { throw Errno(rawValue: errno) }
    let (bytes, overflow) = UInt64(answer.f_bavail).multipliedReportingOverflow(by: UInt64(answer.f_frsize))
    return overflow ? .max : bytes
}
