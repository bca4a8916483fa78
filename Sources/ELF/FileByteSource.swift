import Glibc
package import SystemPackage

/// A source that is a regular file, read with pread(2), so that several readers may share it.
///
/// Reading blocks: call it on a thread that may wait.
package final class FileByteSource: ByteSource {
    private let descriptor: FileDescriptor
    package let byteCount: UInt64

    /// Opens the file, without following a link in its last component.
    ///
    /// - Throws: ``ELFError/unreadable(_:)`` when it cannot be opened or is not a regular file.
    package init(_ path: FilePath) throws(ELFError) {
        do {
            descriptor = try FileDescriptor.open(
                path, .readOnly, options: [.closeOnExec, .noFollow, .nonBlocking])
        } catch {
            throw ELFError(reading: error)
        }
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            Self.close(descriptor)
            throw .unreadable("it is not a regular file")
        }
        byteCount = UInt64(max(0, status.st_size))
    }

    deinit { Self.close(descriptor) }

    package func read(at offset: UInt64, count: Int) throws(ELFError) -> [UInt8] {
        guard count > 0, offset < byteCount, let start = Int64(exactly: offset) else { return [] }
        let wanted = Int(min(UInt64(count), byteCount - offset))
        do {
            return try [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
                while filled < wanted {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                    let got = try descriptor.read(fromAbsoluteOffset: start + Int64(filled), into: rest)
                    if got == 0 { break }
                    filled += got
                }
            }
        } catch {
            throw ELFError(reading: error)
        }
    }

    // Closing a descriptor that was only read from loses nothing, whatever close(2) answers.
    private static func close(_ descriptor: FileDescriptor) { try? descriptor.close() }
}

extension ELFError {
    fileprivate init(reading error: any Error) {
        self = .unreadable((error as? Errno).map { "\($0)" } ?? "\(error)")
    }
}
