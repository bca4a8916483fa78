import Glibc
import NIOPosix
package import SystemPackage

/// How often a job was begun, kept where it survives the worker: a file of one byte an attempt.
///
/// The broker's own count is not enough: it does not rise for every way in which a message comes back.
package struct AttemptLedger: Hashable, Sendable {
    /// The directory of the ledger; it is made when its parent is there.
    package let directory: FilePath
    /// The file's name: the stage, or what else the job is known by.
    package let name: String

    /// - Parameter directory: `TaskDirectory.attempts` for a job with a task. Its parent is the task's directory, and
    ///   when that has gone the task was withdrawn.
    package init(directory: FilePath, name: String) {
        self.directory = directory
        self.name = name
    }

    /// Why the ledger could not be kept.
    package enum Failure: Error, Hashable, Sendable {
        /// The directory that the ledger's directory is in does not exist.
        case withdrawn
        /// A system call failed; errno(3).
        case system(Errno)
    }

    /// Notes one more attempt, durably, before it is made.
    ///
    /// - Returns: Which attempt it is, from 1.
    package func record() async throws(Failure) -> Int {
        try await offThePool { () throws(Failure) in try recordNow() }
    }

    /// Takes the last attempt back: it ended for a reason that is not the job's.
    package func forgive() async throws(Failure) {
        try await offThePool { () throws(Failure) in
            try change { file, size throws(Failure) in
                try Self.check { ftruncate(file, off_t(max(0, size - 1))) }
            }
        }
    }

    /// Forgets all attempts: the job is done. Nothing happens when there were none.
    package func clear() async throws(Failure) {
        try await offThePool { () throws(Failure) in
            guard unlink(directory.appending(name).string) != 0, errno != ENOENT else { return }
            throw Failure.system(Errno(rawValue: errno))
        }
    }

    private func recordNow() throws(Failure) -> Int {
        if mkdir(directory.string, 0o700) != 0 {
            guard errno == EEXIST else { throw errno == ENOENT ? .withdrawn : .system(Errno(rawValue: errno)) }
        }
        var attempts = 0
        try change { file, size throws(Failure) in
            let byte: [UInt8] = [UInt8(ascii: ".")]
            try Self.check { Int32(clamping: pwrite(file, byte, 1, off_t(size)) - 1) }
            try Self.check { fsync(file) }
            attempts = size + 1
        }
        return attempts
    }

    private func change(_ body: (_ file: Int32, _ size: Int) throws(Failure) -> Void) throws(Failure) {
        let file = open(directory.appending(name).string, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw errno == ENOENT ? .withdrawn : .system(Errno(rawValue: errno)) }
        defer { close(file) }
        var status = stat()
        try Self.check { fstat(file, &status) }
        try body(file, Int(status.st_size))
    }

    private static func check(_ call: () -> Int32) throws(Failure) {
        guard call() == 0 else { throw .system(Errno(rawValue: errno)) }
    }

    /// Runs on a thread that may block, to its end even in a cancelled task: the ledger is settled last of all.
    private func offThePool<Value: Sendable>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            NIOThreadPool.singleton.submit { state in
                // Only a pool that was shut down is not active, which the singleton never is.
                guard case .active = state else { return continuation.resume(returning: .failure(.system(.canceled))) }
                do throws(Failure) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}
