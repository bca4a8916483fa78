import CrashModel
import Crypto
import Distributions
import SystemPackage

/// The packages whose signatures were not good, so that they are not fetched again until the keys change.
struct RefusedPackages: Sendable {
    private var known: [String: String] = [:]

    /// Reads what earlier synchronisations refused. Blocking.
    init(in folders: SyncFolders) throws {
        do {
            let bytes = try readFile(Self.path(folders), limit: 64 << 20)
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let words = line.split(separator: " ")
                if words.count == 2 { known[String(words[0])] = String(words[1]) }
            }
        } catch Errno.noSuchFileOrDirectory {
            return
        }
    }

    /// - Parameter keys: ``keys(of:)`` of the repository that offers it.
    func contains(_ sha256: String, keys: String) -> Bool { known[sha256] == keys }

    mutating func insert(_ sha256: String, keys: String) { known[sha256] = keys }

    /// Blocking.
    func write(to folders: SyncFolders) throws {
        let text = known.map { "\($0.key) \($0.value)\n" }.sorted().joined()
        let aside = folders.work.appending("refused")
        try writeFile(Array(text.utf8), to: aside)
        try publish(aside, as: Self.path(folders))
    }

    /// Takes over what was refused on first need since.
    mutating func take(_ noted: NotedRefusals) {
        for (sha256, keys) in noted.keys { insert(sha256, keys: keys) }
    }

    /// What changes when other keys may sign. Blocking.
    static func keys(of repository: Repository) throws -> String {
        guard repository.checksSignatures else { return "unchecked" }
        var digest = SHA256()
        for key in repository.keys { digest.update(data: try readFile(key, limit: 16 << 20)) }
        return hexadecimal(digest.finalize())
    }

    private static func path(_ folders: SyncFolders) -> FilePath { folders.metadata.appending("refused") }
}
