import CrashModel
import Glibc
import SystemPackage

/// The right to write to a mirror, held as long as this lives.
///
/// It is a lock of flock(2) on a file in the mirror: the kernel takes it back when its holder dies.
final class SyncLock: Sendable {
    private let descriptor: FileDescriptor

    /// - Throws: ``CrashModel/StageError`` with `synchronisationRunning` when another one holds it.
    init(_ path: FilePath, releaseID: ReleaseID) throws {
        descriptor = try FileDescriptor.open(
            path, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite])
        guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            let error = Errno(rawValue: errno)
            Glibc.close(descriptor.rawValue)
            guard error == .wouldBlock else { throw error }
            throw StageError.sync(
                .synchronisationRunning, "Another synchronisation of \(releaseID) is at work.",
                advice: "This one begins when that one has ended; it is tried again each minute.",
                retryAfter: .seconds(60))
        }
    }

    deinit {
        // A child that is being started this moment has a copy of the descriptor until its exec; closing ours would leave
        // the lock with it.
        flock(descriptor.rawValue, LOCK_UN)
        Glibc.close(descriptor.rawValue)
    }
}
