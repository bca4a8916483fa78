import Glibc
import Sandbox
import SystemPackage
import TaskStorage

/// The files that the debugger reads and writes, in a folder of the task that goes when the stage ends.
///
/// The sandbox gets each file by itself and never the folder, so a debugger that is taken over can neither make further
/// files nor put a link in the place of one.
struct SessionFolder: Sendable {
    let path: FilePath
    let user: SandboxUser

    init(in directory: TaskDirectory, user: SandboxUser) {
        path = directory.session
        self.user = user
    }

    /// Makes it anew, with an empty folder `root` in it. Blocking.
    func make() throws(Errno) {
        remove()
        for folder in [path, root] {
            guard mkdir(folder.string, 0o711) == 0, chmod(folder.string, 0o711) == 0 else {
                throw Errno(rawValue: errno)
            }
        }
    }

    /// Becomes `/` for programs that need no crash root.
    var root: FilePath { path.appending("root") }
    var script: FilePath { path.appending("script") }
    func output(_ index: Int) -> FilePath { path.appending("output\(index)") }

    /// Writes a file that the sandbox's user may read, or also write. Blocking.
    func put(_ bytes: [UInt8], at file: FilePath, writable: Bool) throws(Errno) {
        try write(bytes, to: file)
        try share(file, with: user, writable: writable)
    }

    /// What a program of the sandbox wrote into a file, up to `limit` bytes; the file is removed. Blocking.
    func take(_ file: FilePath, limit: Int) -> [UInt8] {
        defer { unlink(file.string) }
        guard let file = try? ResultFile(at: file) else { return [] }
        return (try? file.read(at: 0, count: min(file.byteCount, limit))) ?? []
    }

    /// Blocking.
    func remove() {
        for folder in [root, path] {
            for name in (try? TaskDirectory.names(in: folder)) ?? [] { unlink(folder.appending(name).string) }
            rmdir(folder.string)
        }
    }
}

/// Lets the sandbox's user read a file of ours, or also write it, by its group. Blocking.
///
/// A service that is not root runs the debugger as itself. A dump that others may read already is left as it is: an
/// operator's own file may be linked into the task.
func share(_ path: FilePath, with user: SandboxUser, writable: Bool = false) throws(Errno) {
    guard let file = try ResultFile(at: path) else { throw Errno.noSuchFileOrDirectory }
    guard geteuid() == 0 else { return }
    let failure = file.withDescriptor { descriptor -> Errno? in
        var facts = stat()
        guard fstat(descriptor.rawValue, &facts) == 0 else { return Errno(rawValue: errno) }
        let wanted: mode_t = writable ? 0o060 : 0o040
        if !writable, facts.st_mode & 0o004 != 0 { return nil }
        // The other names of the file are not ours to decide about.
        if !writable, facts.st_nlink > 1, facts.st_gid != user.groupID { return .permissionDenied }
        if facts.st_gid == user.groupID, facts.st_mode & wanted == wanted { return nil }
        guard fchown(descriptor.rawValue, .max, user.groupID) == 0,
            fchmod(descriptor.rawValue, facts.st_mode & 0o7777 | wanted) == 0
        else { return Errno(rawValue: errno) }
        return nil
    }
    if let failure { throw failure }
}
