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
    try replace(path) { (file: borrowing NewFile) throws(Errno) in try file.append(bytes) }
}

/// As ``write(_:to:)``, with a text in parts, which may be long: nothing of it is copied. Blocking.
func write(_ parts: [Substring], to path: FilePath) throws(Errno) {
    try replace(path) { (file: borrowing NewFile) throws(Errno) in
        for part in parts { try file.append(part) }
    }
}

private func replace(_ path: FilePath, _ write: (borrowing NewFile) throws(Errno) -> Void) throws(Errno) {
    let temporary = FilePath(path.string + ".new")
    do {
        let file = try NewFile(temporary)
        try write(file)
        try file.sync()
    }
    guard rename(temporary.string, path.string) == 0 else { throw Errno(rawValue: errno) }
}

extension TaskDirectory {
    /// What the script of frames writes; gone when the stage ends.
    var frames: FilePath { path.appending("frames.partial") }
}

/// A file that is being written; closed with the value.
struct NewFile: ~Copyable {
    private let number: CInt

    /// Makes it, for our user alone; what was in its place is removed. Blocking.
    init(_ path: FilePath) throws(Errno) {
        unlink(path.string)
        number = open(path.string, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(number) }

    /// Blocking.
    borrowing func append(_ bytes: [UInt8]) throws(Errno) {
        let failure = bytes.withUnsafeBytes { Self.append($0, to: number) }
        if let failure { throw failure }
    }

    /// Blocking.
    borrowing func append(_ text: Substring) throws(Errno) {
        var text = text
        let failure = text.withUTF8 { Self.append(UnsafeRawBufferPointer($0), to: number) }
        if let failure { throw failure }
    }

    /// Puts all of it on the disk; a full one may show only here. Blocking.
    borrowing func sync() throws(Errno) {
        guard fsync(number) == 0 else { throw Errno(rawValue: errno) }
    }

    private static func append(_ bytes: UnsafeRawBufferPointer, to number: CInt) -> Errno? {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(number, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            } else if errno != EINTR {
                return Errno(rawValue: errno)
            }
        }
        return nil
    }
}
