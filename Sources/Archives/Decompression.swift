import Glibc
package import SystemPackage

/// Decompresses a single file, such as `Packages.xz`, into a new file. Blocking.
///
/// - Parameters:
///   - file: The compressed file; several streams behind one another count as one.
///   - output: Where the content goes; what is there is replaced.
///   - limit: The most that the content may have, in bytes: a bomb stops there.
/// - Returns: The size of the content, in bytes.
/// - Throws: ``ArchiveError`` with `tooManyBytes` past the limit, `damaged`, `notAnArchive`, `noSpace` or `system`.
@discardableResult
package func decompressFile(
    _ file: FilePath, to output: FilePath, limit: Int64
) throws(ArchiveError) -> Int64 {
    let content = try DecompressedFile(file, limit: limit)
    let descriptor: FileDescriptor
    do {
        descriptor = try FileDescriptor.open(
            output, .writeOnly, options: [.create, .truncate, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
        throw ArchiveError("make the file for the content", errno: (error as? Errno ?? .ioError).rawValue)
    }
    do throws(ArchiveError) {
        var count: Int64 = 0
        while let written = try content.nextBlock({ block in
            Result { () throws in try descriptor.writeAll(block) }
        }) {
            try systemCall("write the content") { () throws in count += Int64(try written.get()) }
        }
        try systemCall("close the file with the content") { () throws in try descriptor.close() }
        return count
    } catch {
        close(descriptor.rawValue)
        throw error
    }
}

private func systemCall(_ attempt: String, _ body: () throws -> Void) throws(ArchiveError) {
    do { try body() } catch {
        throw ArchiveError(attempt, errno: (error as? Errno ?? .ioError).rawValue)
    }
}
