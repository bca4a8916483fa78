import CArchive
import Glibc
package import SystemPackage

/// The opened file of a package and a reader over the files in it.
final class PackagePayload {
    let reader: ArchiveReader
    /// The size of the package file, in bytes.
    let byteCount: Int64
    private let descriptor: FileDescriptor

    /// - Parameters:
    ///   - package: A `.deb` or an `.rpm`; what it is is told from its first bytes, not from its name.
    ///   - debianMember: Which of a Debian package's archives is wanted, `data.tar` or `control.tar`.
    /// - Throws: ``ArchiveError`` with `notAnArchive`, `truncated`, `damaged`, `unsupported` or `system`.
    init(_ package: FilePath, debianMember: String = "data.tar") throws(ArchiveError) {
        let number = package.withCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        guard number >= 0 else { throw ArchiveError("open the package", errno: errno) }
        let descriptor = FileDescriptor(rawValue: number)
        do throws(ArchiveError) {
            byteCount = try Self.byteCount(of: descriptor)
            reader = try Self.reader(of: descriptor, byteCount, debianMember: debianMember)
        } catch {
            Glibc.close(number)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor.rawValue) }

    private static func byteCount(of descriptor: FileDescriptor) throws(ArchiveError) -> Int64 {
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0 else { throw ArchiveError("look at the package", errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ArchiveError(.notAnArchive, "the package is no file") }
        return Int64(status.st_size)
    }

    private static func reader(
        of descriptor: FileDescriptor, _ byteCount: Int64, debianMember: String
    ) throws(ArchiveError) -> ArchiveReader {
        let magic = try readBytes(descriptor, at: 0, count: 8)
        if magic.elementsEqual("!<arch>\n".utf8) {
            let member = try DebianMember.first(debianMember, in: descriptor, byteCount: byteCount)
            return try ArchiveReader(
                descriptor, range: member.range, formats: [.tar],
                compressions: [.gzip, .bzip2, .lzma, .xz, .zstd])
        }
        if magic.starts(with: [0xed, 0xab, 0xee, 0xdb]) {
            do throws(ArchiveError) {
                return try ArchiveReader(
                    descriptor, range: 0..<byteCount, formats: [.cpio],
                    compressions: [.rpm, .gzip, .bzip2, .lzma, .xz, .zstd])
            } catch  where error.code == .notAnArchive {
                throw ArchiveError(.unsupported, "the payload of the RPM package is in a format that we do not read")
            }
        }
        throw ArchiveError(.notAnArchive, "the file is neither a Debian nor an RPM package")
    }
}

/// The control stanza of a Debian package: the text of `control` in its `control.tar`.
///
/// - Throws: ``ArchiveError`` as opening does; `damaged` when there is no such file or when it is over 1 MiB.
package func debianControl(of package: FilePath) throws(ArchiveError) -> String {
    let payload = try PackagePayload(package, debianMember: "control.tar")
    for _ in 0..<1000 {
        guard let entry = try payload.reader.nextEntry() else { break }
        guard entry.kind == .regular, ["./control", "control"].contains(where: { entry.path.elementsEqual($0.utf8) })
        else { continue }
        guard (0...1_048_576).contains(entry.byteCount) else { break }
        return String(decoding: try PayloadReader(payload).prefix(1_048_576), as: UTF8.self)
    }
    throw ArchiveError(.damaged, "the package has no control file of a sensible size")
}
