import Archives
package import CrashModel
import Glibc
import SystemPackage
package import TaskStorage

/// Where the members go until all of them are there and found good.
private let partialName = "crash.partial"
private let crashName = "crash"

/// Unpacks the upload of a task into its directory `crash/`; nothing to do when that is there already.
///
/// It blocks. Members have mode 0600, blocks of zeros become holes, and `crash/` (mode 0711) appears only when everything
/// in it is complete; what a killed worker left behind is removed first.
///
/// - Parameters:
///   - directory: The task, with its upload.
///   - contentType: The media type that the client declared.
///   - limits: What an upload may become.
///   - progress: Called about every 16 MiB with the bytes that are unpacked.
/// - Throws: ``StageError`` of stage ingest with the codes of `IngestCodes.swift`; nothing of `crash/` stays then.
package func unpackUpload(
    _ directory: TaskDirectory, contentType: String, limits: IngestLimits, progress: @escaping (Int64) -> Void
) throws(StageError) {
    let type = try ContentType(named: contentType)
    let task = try answering { () throws(ArchiveError) in try DirectoryDescriptor(opening: directory.path) }
    // A job that the broker delivers again may run beside the first delivery.
    try answering { () throws(ArchiveError) in try task.lock() }
    let isDone = try answering { () throws(ArchiveError) in try task.openDirectory(crashName) != nil }
    if isDone { return }
    try answering { () throws(ArchiveError) in try removePartial(in: task) }
    do throws(StageError) {
        try unpack(type, in: task, limits: limits, progress: progress)
    } catch {
        // The refusal is the news; what could not be removed goes with the task's directory.
        try? removePartial(in: task)
        throw error
    }
}

private func unpack(
    _ type: ContentType, in task: DirectoryDescriptor, limits: IngestLimits, progress: @escaping (Int64) -> Void
) throws(StageError) {
    guard let upload = try answering({ () throws(ArchiveError) in try task.openFile("upload") }) else {
        throw .refused(.uploadMissing, "The upload of this task is gone.", "Send the crash again.")
    }
    defer { close(upload.rawValue) }
    _ = try answering { () throws(ArchiveError) in try task.makeDirectory(partialName, mode: 0o711) }
    guard let partial = try answering({ () throws(ArchiveError) in try task.openDirectory(partialName) }) else {
        throw StageError(ArchiveError(.system, "\(partialName) is no directory"))
    }
    let reader = try answering { () throws(ArchiveError) in
        try ArchiveReader(
            upload, formats: [.tar], compressions: [.gzip, .bzip2, .lzma, .xz, .zstd])
    }
    var unpacker = UploadUnpacker(reader, into: partial, limits: limits, progress: progress)
    try unpacker.run(type)
    try answering { () throws(ArchiveError) in try task.rename(partialName, to: crashName) }
}

private func removePartial(in task: DirectoryDescriptor) throws(ArchiveError) {
    guard let partial = try task.openDirectory(partialName) else { return }
    for member in Member.allCases { try partial.remove(member.rawValue) }
    try task.remove(partialName, directory: true)
}
