import Archives
package import CrashModel
import Glibc
import SystemPackage
import TaskStorage

/// Where the members go until all of them are there and found good.
private let partialName = "crash.partial"
private let crashName = "crash"

/// Unpacks the upload of a task into its directory `crash/`; nothing to do when that is there already.
///
/// It blocks. Members have mode 0600, blocks of zeros become holes, and `crash/` (mode 0711) appears only when everything
/// in it is complete; what a killed worker left behind is removed first. A kernel's dump that is neither packed nor
/// compressed is only given its new name.
///
/// - Parameters:
///   - upload: What was sent.
///   - limits: What an upload may become.
///   - progress: Called about every 16 MiB with the bytes that are unpacked, and once with the kernel whose dump it is, when
///     the headers are there.
/// - Throws: ``StageError`` of stage ingest with the codes of `IngestCodes.swift`; nothing of `crash/` stays then.
package func unpackUpload(
    _ upload: Upload, limits: IngestLimits, progress: @escaping (IngestProgress) -> Void
) throws(StageError) {
    let type = try ContentType(named: upload.contentType)
    let task = try answering { () throws(ArchiveError) in try DirectoryDescriptor(opening: upload.directory.path) }
    // A job that the broker delivers again may run beside the first delivery.
    try answering { () throws(ArchiveError) in try task.lock() }
    let isDone = try answering { () throws(ArchiveError) in try task.openDirectory(crashName) != nil }
    if isDone { return }
    try answering { () throws(ArchiveError) in try removePartial(in: task) }
    do throws(StageError) {
        _ = try answering { () throws(ArchiveError) in try task.makeDirectory(partialName, mode: 0o711) }
        guard let partial = try answering({ () throws(ArchiveError) in try task.openDirectory(partialName) }) else {
            throw StageError(ArchiveError(.system, "\(partialName) is no directory"))
        }
        if upload.isPlainKernelDump() {
            guard type.allows([]) else { throw .otherCompression(than: type, found: []) }
            try take(upload, from: task, into: partial)
        } else {
            try unpack(upload, type, in: task, into: partial, limits: limits, progress: progress)
        }
        try answering { () throws(ArchiveError) in try task.rename(partialName, to: crashName) }
    } catch {
        // The refusal is the news; what could not be removed goes with the task's directory.
        try? removePartial(in: task)
        throw error
    }
}

private func unpack(
    _ upload: Upload, _ type: ContentType, in task: DirectoryDescriptor, into partial: DirectoryDescriptor,
    limits: IngestLimits, progress: @escaping (IngestProgress) -> Void
) throws(StageError) {
    let file =
        if let path = upload.serverPath { try openServerFile(path) } else {
            try answering { () throws(ArchiveError) in try task.openFile("upload") }
        }
    guard let file else {
        throw .refused(.uploadMissing, "The upload of this task is gone.", "Send the crash again.")
    }
    defer { close(file.rawValue) }
    let reader = try answering { () throws(ArchiveError) in
        try ArchiveReader(
            file, formats: upload.kind == .vmcore ? [.tar, .raw] : [.tar],
            compressions: [.gzip, .bzip2, .lzma, .xz, .zstd])
    }
    var unpacker = UploadUnpacker(
        reader, of: upload, into: partial, at: upload.directory.path.appending(partialName), limits: limits,
        progress: progress)
    try unpacker.run(type)
}

/// Moves a plain dump into its place; one that lies on the server stays there.
private func take(
    _ upload: Upload, from task: DirectoryDescriptor, into partial: DirectoryDescriptor
) throws(StageError) {
    if let path = upload.serverPath { return try ServerFiles(path).take(into: partial) }
    let name = Member.vmcore.rawValue
    guard renameat(task.descriptor.rawValue, "upload", partial.descriptor.rawValue, name) == 0 else {
        throw StageError(ArchiveError("put the dump into its place", errno: errno))
    }
}

private func openServerFile(_ path: FilePath) throws(StageError) -> FileDescriptor? {
    let number = path.withPlatformString { open($0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) }
    guard number >= 0 else {
        if [ENOENT, ELOOP, ENOTDIR].contains(errno) { return nil }
        throw StageError(ArchiveError("open the dump on the server", errno: errno))
    }
    return FileDescriptor(rawValue: number)
}

private func removePartial(in task: DirectoryDescriptor) throws(ArchiveError) {
    guard let partial = try task.openDirectory(partialName) else { return }
    let names = Member.allCases.map(\.rawValue) + ServerLink.allCases.map(\.rawValue) + [TaskDirectory.linkedDumpMark]
    for name in names { try partial.remove(name) }
    try task.remove(partialName, directory: true)
}
