import CrashModel
import Glibc
import Packages
import SystemPackage

/// The right to fetch one package into a mirror, held as long as this lives: a lock of flock(2) on a file that the kernel
/// takes back when its holder dies.
///
/// Beside the lock lies the download, so that whoever comes next goes on where a dead one stopped.
final class PackageLock: Sendable {
    /// Where the package is put until it is verified; no other name in the mirror leads to it.
    let download: FilePath
    private let path: FilePath
    private let descriptor: FileDescriptor

    /// Waits until nobody else fetches the package.
    ///
    /// - Throws: `Errno`, and `CancellationError`.
    init(_ sha256: String, in mirror: MirrorDirectory, _ downloader: Downloader) async throws {
        let folder = mirror.path.appending("fetching")
        let path = folder.appending("\(sha256).lock")
        try await downloader.blocking { try makeDirectories(folder) }
        var held: FileDescriptor?
        while held == nil {
            held = try await downloader.blocking { try Self.lock(path) }
            if held == nil { try await Task.sleep(for: .milliseconds(100)) }
        }
        descriptor = held ?? FileDescriptor(rawValue: -1)
        self.path = path
        download = folder.appending("\(sha256).unverified")
    }

    /// Removes the lock's file; the next one makes another. Blocking.
    func forget() { unlink(path.string) }

    /// nil while another one holds it.
    private static func lock(_ path: FilePath) throws -> FileDescriptor? {
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite])
        var opened = stat()
        var named = stat()
        // The file may have been removed by its last holder after it was opened here.
        if flock(file.rawValue, LOCK_EX | LOCK_NB) == 0, fstat(file.rawValue, &opened) == 0,
            stat(path.string, &named) == 0, opened.st_ino == named.st_ino
        {
            return file
        }
        try file.close()
        return nil
    }

    deinit {
        // A child that is being started this moment has a copy of the descriptor until its exec.
        flock(descriptor.rawValue, LOCK_UN)
        Glibc.close(descriptor.rawValue)
    }
}
