import CrashModel
import Glibc
import NIOPosix
import Sandbox
import SystemPackage
import TaskStorage

/// Lets the sandbox's user read the core, and makes the empty file that the script of frames may write. Blocking.
///
/// A service that is root gives both to that user's group only; one that is not runs the debugger as itself.
func prepareFiles(in directory: TaskDirectory, user: SandboxUser) throws(Errno) {
    try user.share(directory.coredump)
    try SandboxFolder(directory.path, user: user).put([], at: directory.frames, writable: true)
}

/// Makes the directory of named results, unless it is there. Blocking.
func makeResultsDirectory(in directory: TaskDirectory) throws(Errno) {
    guard mkdir(directory.results.string, 0o700) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
}

/// Writes `bytes` to a temporary name beside `path` and renames it, so that a reader sees all or nothing. Blocking.
func write(_ bytes: [UInt8], to path: FilePath) throws(Errno) {
    let temporary = FilePath(path.string + ".new")
    unlink(temporary.string)
    do {
        let file = try OpenFile(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        try file.writeAll(bytes)
    }
    guard rename(temporary.string, path.string) == 0 else { throw Errno(rawValue: errno) }
}

extension TaskDirectory {
    /// What the script of frames writes; gone when the stage ends.
    var frames: FilePath { path.appending("frames.partial") }
}

/// An open file, closed with the value.
private struct OpenFile: ~Copyable {
    let number: CInt

    init(_ path: FilePath, _ flags: CInt, mode: mode_t = 0) throws(Errno) {
        number = open(path.string, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode)
        guard number >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(number) }

    borrowing func writeAll(_ bytes: [UInt8]) throws(Errno) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            if count < 0 {
                guard errno == EINTR else { throw Errno(rawValue: errno) }
            } else {
                rest = rest.dropFirst(count)
            }
        }
        // A full disk may show only here.
        guard fsync(number) == 0 else { throw Errno(rawValue: errno) }
    }
}
