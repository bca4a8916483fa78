import Glibc
package import SystemPackage

/// The files that a sandboxed program reads and writes, in a folder that goes when it ended.
///
/// The sandbox gets each file by itself and never the folder, so a program that is taken over can neither make further
/// files nor put a link in the place of one.
package struct SandboxFolder: Sendable {
    package let path: FilePath
    package let user: SandboxUser

    package init(_ path: FilePath, user: SandboxUser) {
        self.path = path
        self.user = user
    }

    /// Becomes `/` for programs that need no other root.
    package var root: FilePath { path.appending("root") }

    /// Makes it anew, with an empty ``root`` in it. Blocking.
    package func make() throws(Errno) {
        remove()
        for folder in [path, root] {
            guard mkdir(folder.string, 0o711) == 0, chmod(folder.string, 0o711) == 0 else {
                throw Errno(rawValue: errno)
            }
        }
    }

    /// Writes a file that the sandbox's user may read, or also write. Blocking.
    ///
    /// - Throws: `Errno`; what was in its place is removed before.
    package func put(_ bytes: [UInt8], at file: FilePath, writable: Bool) throws(Errno) {
        unlink(file.string)
        do {
            let descriptor = try FileDescriptor.open(
                file, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
                permissions: [.ownerReadWrite])
            _ = try descriptor.closeAfter { try descriptor.writeAll(bytes) }
        } catch {
            throw error as? Errno ?? .ioError
        }
        try user.share(file, writable: writable)
    }

    /// Removes it, this run's or that of a service that was killed. Blocking.
    package func remove() {
        for folder in [root, path] {
            for name in names(in: folder) { unlink(folder.appending(name).string) }
            rmdir(folder.string)
        }
    }
}

/// The names in a directory; none where it cannot be read.
private func names(in directory: FilePath) -> [FilePath.Component] {
    guard let stream = opendir(directory.string) else { return [] }
    defer { closedir(stream) }
    var names: [FilePath.Component] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { FilePath(platformString: $0) }
        }
        if let name = name.lastComponent, name.kind == .regular { names.append(name) }
    }
    return names
}
