import Archives
import Glibc
package import NIOPosix
package import SystemPackage

/// A crash packed into a file that has no name any more: it goes when it is closed, or when the process ends.
package struct PackedArchive: Sendable {
    package let descriptor: FileDescriptor
    package let byteCount: Int64
    package let format: ArchiveFormat
    package let taskType: Int

    package init(descriptor: FileDescriptor, byteCount: Int64, format: ArchiveFormat, taskType: Int) {
        self.descriptor = descriptor
        self.byteCount = byteCount
        self.format = format
        self.taskType = taskType
    }
}

extension CrashFiles {
    /// How large the files are, unpacked and in bytes.
    ///
    /// - Throws: ``ClientError`` with `denied`.
    package func byteCount() throws(ClientError) -> Int64 {
        var sum: Int64 = 0
        for member in members {
            switch member.content {
            case .text(let text): sum += Int64(text.utf8.count)
            case .file(let path):
                var status = stat()
                guard lstat(path.string, &status) == 0 else {
                    throw ClientError(unreadable: path, "\(Errno(rawValue: errno)).")
                }
                sum += Int64(status.st_size)
            }
        }
        return sum
    }

    /// Packs the files, uses the archive and removes it, whatever happened. Holes of a core are not read.
    ///
    /// - Parameters:
    ///   - directory: Where the archive lies meanwhile, as a file without a name that only its owner could read.
    ///   - progress: Called with the bytes of the dump that are packed.
    /// - Throws: ``ClientError`` with `system` or `denied`, and what `use` throws.
    package func withPackedArchive<Value: Sendable>(
        _ format: ArchiveFormat, in directory: FilePath, threadPool: NIOThreadPool = .singleton,
        progress: @escaping @Sendable (Int64) -> Void = { _ in },
        _ use: (PackedArchive) async throws(ClientError) -> Value
    ) async throws(ClientError) -> Value {
        let archive = try await onPool(threadPool) { () throws(ClientError) in
            try pack(format, in: directory, progress)
        }
        do throws(ClientError) {
            let value = try await use(archive)
            close(archive.descriptor)
            return value
        } catch {
            close(archive.descriptor)
            throw error
        }
    }

    private func pack(
        _ format: ArchiveFormat, in directory: FilePath, _ progress: (Int64) -> Void
    ) throws(ClientError) -> PackedArchive {
        let file = try makeNamelessFile(in: directory)
        do {
            let writer = try ArchiveWriter(file, compression: format.compression)
            for member in members { try add(member, to: writer, progress) }
            try writer.finish()
            var status = stat()
            guard fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
            return PackedArchive(
                descriptor: file, byteCount: Int64(status.st_size), format: format, taskType: taskType)
        } catch {
            close(file)
            if let error = error as? ClientError { throw error }
            let isFull = (error as? ArchiveError)?.code == .noSpace
            throw ClientError(
                .system, "The crash cannot be packed in \(printable(directory.string)): \(printable("\(error)")).",
                advice: isFull ? "Make room there, or name another directory in TMPDIR." : nil)
        }
    }

    private func add(_ member: CrashMember, to writer: ArchiveWriter, _ progress: (Int64) -> Void) throws {
        switch member.content {
        case .text(let text): try writer.addFile(member.name.rawValue, content: Array(text.utf8))
        case .file(let path):
            let file: FileDescriptor
            do {
                file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow, .nonBlocking])
            } catch {
                throw ClientError(unreadable: path, "\(error).")
            }
            let isDump = member.name == .coredump || member.name.rawValue.hasPrefix("vmcore")
            try file.closeAfter {
                try writer.addFile(member.name.rawValue, from: file) { if isDump { progress($0) } }
            }
        }
    }
}

/// A new file of mode 0600 whose name is gone at once.
private func makeNamelessFile(in directory: FilePath) throws(ClientError) -> FileDescriptor {
    var template = Array(directory.appending("retrace-upload-XXXXXX").string.utf8CString)
    let number = mkstemp(&template)
    guard number >= 0 else {
        throw ClientError(
            .system, "No file can be made in \(printable(directory.string)): \(Errno(rawValue: errno)).",
            advice: "Name another directory for temporary files in TMPDIR.")
    }
    unlink(template)
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    return FileDescriptor(rawValue: number)
}

/// Nothing is lost by what close(2) answers: the file has no name.
private func close(_ file: FileDescriptor) { try? file.close() }

/// Runs blocking work on the pool, to its end even when the caller is cancelled, so that it can clean up.
private func onPool<Value: Sendable>(
    _ pool: NIOThreadPool, _ work: @escaping @Sendable () throws(ClientError) -> Value
) async throws(ClientError) -> Value {
    let result: Result<Value, ClientError> = await withCheckedContinuation { continuation in
        pool.submit { state in
            guard case .active = state else {
                return continuation.resume(returning: .failure(ClientError(.system, "The command is being stopped.")))
            }
            continuation.resume(returning: Result { () throws(ClientError) in try work() })
        }
    }
    return try result.get()
}
