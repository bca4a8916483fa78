import Glibc
package import SystemPackage

/// An empty file in the directory for temporary files; the test removes it.
package struct TemporaryFile {
    package let path: FilePath

    /// - Parameter mode: The permissions, set whatever the umask is.
    package init(mode: CInterop.Mode) throws {
        var template = Array("/tmp/retrace-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        fchmod(descriptor, mode_t(mode))
        close(descriptor)
    }

    /// The whole of the file as text.
    package func contents() throws -> String {
        let descriptor = try FileDescriptor.open(path, .readOnly)
        return try descriptor.closeAfter {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                if count == 0 { return String(decoding: bytes, as: UTF8.self) }
                bytes += buffer[..<count]
            }
        }
    }

    package func remove() { unlink(path.string) }
}
