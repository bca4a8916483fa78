package import CrashModel
import Glibc
import SystemPackage
package import TaskStorage

/// Unpacks an upload and reads the crash in it.
///
/// It blocks for as long as unpacking takes: call it from a pool of threads. It may be called again for the same task at
/// any time, after a kill too: what is unpacked already is only read again. When it returns, the upload is gone and
/// `crash/` holds the files.
///
/// - Parameters:
///   - directory: The task, with its upload.
///   - contentType: The media type that the client declared, without parameters.
///   - taskType: `X-Task-Type`: 2 and 4 are kernel dumps, anything else is the core of a process.
///   - limits: What an upload may become on disk.
///   - progress: Called about every 16 MiB with the bytes that are unpacked, on the calling thread.
/// - Throws: ``StageError`` of stage ingest; its codes, each with the HTTP status it should get, are in
///   `IngestCodes.swift`.
package func ingest(
    _ directory: TaskDirectory, contentType: String, taskType: Int, limits: IngestLimits = IngestLimits(),
    progress: @escaping (Int64) -> Void = { _ in }
) throws(StageError) -> Crash {
    if taskType == 2 || taskType == 4 { throw .vmcore() }
    try unpackUpload(directory, contentType: contentType, limits: limits, progress: progress)
    let crash = try readCrash(in: directory)
    let status = directory.upload.withPlatformString { unlink($0) }
    guard status == 0 || errno == ENOENT else {
        throw StageError(
            .ingest, .internalError, "The server could not remove the upload after unpacking it.",
            advice: "Try again later.", disposition: .retry(after: .seconds(30)))
    }
    return crash
}
