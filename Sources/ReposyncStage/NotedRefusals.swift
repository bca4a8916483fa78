import Packages
import SystemPackage

/// The packages whose signatures were not good when a crash needed them: a note beside their locks, until the next
/// synchronisation takes them into its report and out of the index.
struct NotedRefusals: Sendable {
    /// By SHA-256: ``RefusedPackages/keys(of:)`` at that time.
    private(set) var keys: [String: String] = [:]

    /// Blocking.
    init(of mirror: MirrorDirectory) throws {
        for name in try names(in: Self.folder(mirror)) where name.hasSuffix(Self.suffix) {
            let note = try readFile(Self.folder(mirror).appending(name), limit: 4096)
            keys[String(name.dropLast(Self.suffix.count))] = String(decoding: note, as: UTF8.self)
        }
    }

    /// Notes one package. Blocking.
    static func note(_ sha256: String, keys: String, in mirror: MirrorDirectory) throws {
        let aside = folder(mirror).appending("\(sha256).unverified.note")
        try writeFile(Array(keys.utf8), to: aside)
        try publish(aside, as: path(of: sha256, in: mirror))
    }

    /// Whether the package was refused when these keys counted. Blocking.
    static func contains(_ sha256: String, keys: String, in mirror: MirrorDirectory) throws -> Bool {
        do {
            return try readFile(path(of: sha256, in: mirror), limit: 4096) == Array(keys.utf8)
        } catch Errno.noSuchFileOrDirectory {
            return false
        }
    }

    /// Removes these notes, which the mirror's list of refusals has now. Blocking.
    func forget(in mirror: MirrorDirectory) throws {
        for sha256 in keys.keys { try removeFile(Self.path(of: sha256, in: mirror)) }
    }

    private static let suffix = ".refused"
    private static func folder(_ mirror: MirrorDirectory) -> FilePath { mirror.path.appending("fetching") }
    private static func path(of sha256: String, in mirror: MirrorDirectory) -> FilePath {
        folder(mirror).appending(sha256 + suffix)
    }
}
