import CrashModel
import Distributions
import Glibc
import SystemPackage

/// The memory that an optional repository did not answer: it is asked again after ten minutes and not at every
/// synchronisation, which on a machine without the network would each time wait for the same mirrors.
struct AbsentRepository: Sendable {
    private let path: FilePath
    private let name: String
    /// What an earlier synchronisation accepted of it.
    private let accepted: [FilePath]
    private static let patience: Int64 = 600

    init(_ repository: Repository, in folders: SyncFolders) {
        path = folders.metadata.appending("\(repository.name).absent")
        name = repository.name
        accepted = ["repomd-time", "release"].map { folders.metadata.appending("\(repository.name).\($0)") }
    }

    /// A sentence when the repository did not answer in the last ten minutes. Blocking.
    func remark(now: Int64 = microsecondsNow() / 1_000_000) throws -> String? {
        var status = stat()
        guard stat(path.string, &status) == 0 else { return nil }
        let age = now - Int64(status.st_mtim.tv_sec)
        guard (0..<Self.patience).contains(age) else { return nil }
        let reason = String(decoding: try readFile(path, limit: 1 << 16), as: UTF8.self)
        return "The optional repository '\(name)' was left out, as \(age) seconds ago: \(reason)"
    }

    /// Remembers why it was not there; gives the sentence for the report. Blocking.
    ///
    /// A repository that was there before and does not answer now is no such one: its packages are in the index, which
    /// must not lose them because a mirror is down for a moment.
    ///
    /// - Throws: The error itself where it is not to be forgiven; `Errno`.
    func remember(_ error: StageError) throws -> String {
        let isForgiven =
            error.code == .repositoryMissing
            || (error.code == .mirrorsUnreachable && !accepted.contains { fileSize($0) != nil })
        guard isForgiven else { throw error }
        try writeFile(Array(error.reason.utf8), to: path)
        return "The optional repository '\(name)' was left out: \(error.reason)"
    }

    /// Forgets it, since the repository is there. Blocking.
    func forget() throws { try removeFile(path) }
}
