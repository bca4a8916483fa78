import Glibc
package import SystemPackage

/// Writes and looks at files below a test's folder.
package enum FolderContents {
    /// Writes a file and gives its path.
    @discardableResult
    package static func write(_ bytes: some Sequence<UInt8>, to file: FilePath) throws -> FilePath {
        let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite])
        try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
        return file
    }

    /// The whole content of a file.
    package static func read(_ file: FilePath) throws -> [UInt8] {
        let descriptor = try FileDescriptor.open(file, .readOnly, options: [.closeOnExec])
        return try descriptor.closeAfter {
            var bytes: [UInt8] = []
            var block = [UInt8](repeating: 0, count: 1 << 18)
            while true {
                let count = try block.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                if count == 0 { return bytes }
                bytes += block[..<count]
            }
        }
    }

    /// Removes a file.
    package static func remove(_ file: FilePath) throws {
        guard unlink(file.string) == 0 else { throw Errno(rawValue: errno) }
    }

    /// The names in a directory, sorted; empty where there is none.
    package static func names(in directory: FilePath) -> [String] {
        guard let stream = opendir(directory.string) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// What lstat(2) says of a path; nil where nothing is, not even a broken link.
    package static func status(_ path: FilePath) -> (mode: UInt32, size: Int64, allocated: Int64, inode: UInt64)? {
        var status = stat()
        guard lstat(path.string, &status) == 0 else { return nil }
        return (status.st_mode, Int64(status.st_size), Int64(status.st_blocks) * 512, UInt64(status.st_ino))
    }

    /// Where a symbolic link points; nil when it is none.
    package static func linkTarget(_ path: FilePath) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path.string, &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
