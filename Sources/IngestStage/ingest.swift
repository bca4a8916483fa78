package import CrashModel
import Glibc
import SystemPackage
import TaskStorage

/// Unpacks an upload and reads the crash in it.
///
/// It blocks for as long as unpacking takes: call it from a pool of threads. It may be called again for the same task at
/// any time, after a kill too: what is unpacked already is only read again. When it returns, the upload is gone and
/// `crash/` holds the files.
///
/// - Parameters:
///   - upload: What was sent.
///   - limits: What an upload may become on disk.
///   - progress: Called when there is something to tell, about every 16 MiB at most, on the calling thread.
/// - Throws: ``StageError`` of stage ingest; its codes, each with the HTTP status it should get, are in
///   `IngestCodes.swift`.
package func ingest(
    _ upload: Upload, limits: IngestLimits = IngestLimits(), progress: @escaping (IngestProgress) -> Void = { _ in }
) throws(StageError) -> Crash {
    try unpackUpload(upload, limits: limits, progress: progress)
    let crash =
        switch upload.kind {
        case .coredump: try readCrash(in: upload.directory)
        case .vmcore: try readKernelCrash(in: upload.directory, limits: limits, progress: progress)
        }
    let status = upload.directory.upload.withPlatformString { unlink($0) }
    guard status == 0 || errno == ENOENT else {
        throw StageError(
            .ingest, .internalError, "The server could not remove the upload after unpacking it.",
            advice: "Try again later.", disposition: .retry(after: .seconds(30)))
    }
    return crash
}
