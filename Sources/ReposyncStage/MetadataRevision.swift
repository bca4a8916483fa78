import Distributions
import FoundationEssentials
import SystemPackage

extension MetadataRevision {
    /// Refuses metadata that is older than what an earlier synchronisation accepted: a mirror that stands still, or one
    /// that keeps new packages from us; and metadata from the future, after which that of every honest mirror would be old.
    /// Blocking.
    ///
    /// - Parameter now: In seconds since the epoch of Unix.
    /// - Throws: ``MirrorFailure``; `Errno` of this machine's disk.
    func refuseReplay(
        of repository: Repository, in folders: SyncFolders, now: Int64 = microsecondsNow() / 1_000_000
    ) throws {
        // An hour covers clocks that are somewhat off.
        let latest = UInt64(clamping: now + 3600)
        guard timestamp <= latest else {
            throw MirrorFailure(.altered, "its metadata is dated in the future: \(Self.day(timestamp))")
        }
        let known: [UInt8]
        do {
            known = try readFile(Self.path(of: repository, in: folders), limit: 4096)
        } catch Errno.noSuchFileOrDirectory {
            return
        }
        // What an earlier version believed of the future says nothing about today.
        guard let last = UInt64(String(decoding: known, as: UTF8.self)), last <= latest, timestamp < last else {
            return
        }
        throw MirrorFailure(
            .altered,
            "its metadata of \(Self.day(timestamp)) is older than that of \(Self.day(last)), which was accepted before: "
                + "a replay")
    }

    /// Remembers what was accepted, after everything of it was taken over. Blocking.
    func accept(for repository: Repository, in folders: SyncFolders) throws {
        let aside = folders.work.appending("\(repository.name).accepted")
        try writeFile(Array(String(timestamp).utf8), to: aside)
        try publish(aside, as: Self.path(of: repository, in: folders))
    }

    private static func path(of repository: Repository, in folders: SyncFolders) -> FilePath {
        folders.metadata.appending("\(repository.name).repomd-time")
    }

    private static func day(_ timestamp: UInt64) -> String {
        Date(timeIntervalSince1970: Double(min(timestamp, 253_402_300_799))).formatted(
            Date.ISO8601FormatStyle().year().month().day())
    }
}
