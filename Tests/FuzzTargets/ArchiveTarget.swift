import CrashModel
import Glibc
import IngestStage
package import SystemPackage
import TaskStorage
import TestFixtures

/// The way of an upload: bytes, whatever they are, go through ingest in a task of their own.
package struct ArchiveTarget {
    private let scratch: FilePath
    private var spool: FilePath { scratch.appending("spool") }
    private let task: TaskDirectory
    private let limits = IngestLimits(
        maxUnpackedBytes: 4 << 20, minFreeBytes: 0, maxMembers: 64, maxCompressionRatio: 100, ratioFloorBytes: 1 << 20)

    /// - Parameter scratch: An empty directory, in which nothing but the spool may ever be.
    package init(in scratch: FilePath) throws {
        self.scratch = scratch
        task = TaskDirectory(try TaskID("123456789"), in: scratch.appending("spool"))
        guard mkdir(scratch.appending("spool").string, 0o755) == 0 else { throw Errno(rawValue: errno) }
    }

    /// - Parameter input: One byte that chooses the media type, then the upload.
    /// - Throws: ``FuzzViolation``, or `Errno` when the test's own files cannot be written.
    package func take(_ input: some Collection<UInt8>) throws {
        guard let choice = input.first else { return }
        guard mkdir(task.path.string, 0o711) == 0 else { throw Errno(rawValue: errno) }
        defer { clear() }
        try FolderContents.write(input.dropFirst(), to: task.upload)
        let type = ContentType.allCases[Int(choice) % ContentType.allCases.count]
        do {
            let upload = Upload(task, contentType: type.rawValue, taskType: choice < 64 ? 2 : choice < 128 ? 0 : 1)
            _ = try ingest(upload, limits: limits)
        } catch {
            guard !error.reason.isEmpty else { throw FuzzViolation("A refusal says nothing: \(error).") }
        }
        try check()
    }

    private func check() throws {
        guard FolderContents.names(in: scratch) == ["spool"], FolderContents.names(in: spool) == ["123456789"] else {
            throw FuzzViolation("Something lies outside of the task's directory.")
        }
        let odd = Set(FolderContents.names(in: task.path)).subtracting(["upload", "crash"])
        guard odd.isEmpty else { throw FuzzViolation("Ingest left \(odd.sorted()) behind.") }
        var sum: Int64 = 0
        for name in FolderContents.names(in: task.crash) {
            guard let status = FolderContents.status(task.crash.appending(name)) else { continue }
            guard status.mode & S_IFMT == S_IFREG, status.mode & 0o7177 == 0 else {
                throw FuzzViolation("\(name) has mode \(String(status.mode, radix: 8)).")
            }
            sum += status.size
        }
        guard sum <= limits.maxUnpackedBytes else { throw FuzzViolation("\(sum) bytes were unpacked.") }
    }

    private func clear() {
        for name in FolderContents.names(in: task.crash) { unlink(task.crash.appending(name).string) }
        rmdir(task.crash.string)
        for name in FolderContents.names(in: task.path) { unlink(task.path.appending(name).string) }
        rmdir(task.path.string)
    }
}
