package import CrashModel
import Glibc
package import SystemPackage

/// Where the mirror of one release lies: `<repositories>/<release-id>/`. Only reposync writes there.
package struct MirrorDirectory: Hashable, Sendable {
    package let releaseID: ReleaseID
    package let path: FilePath

    /// - Parameters:
    ///   - releaseID: The release; its text is the directory's name.
    ///   - repositories: The directory of all mirrors.
    package init(_ releaseID: ReleaseID, in repositories: FilePath) {
        self.releaseID = releaseID
        path = repositories.appending(releaseID.description)
    }

    /// Every package file ever seen, below subdirectories of reposync's choice.
    package var pool: FilePath { path.appending("pool") }
    /// The package index, published by rename.
    package var index: FilePath { path.appending("index.sqlite") }
    /// Repository metadata of everything mirrored, for libsolv.
    package var solvables: FilePath { path.appending("solvables") }
    /// The stanzas of every mirrored `.deb`; `Filename:` is relative to ``path``.
    package var debianStanzas: FilePath { solvables.appending("Packages") }
    /// How the last synchronisation went: ``SyncStatus`` as JSON.
    package var syncStatus: FilePath { path.appending("sync.json") }

    /// The package file at `location`, the field of ``IndexedPackage``.
    ///
    /// - Throws: ``CrashModel/InvalidValue`` when `location` is absolute, empty or has a `..`: it would leave the mirror.
    package func file(at location: String) throws(InvalidValue) -> FilePath {
        let relative = FilePath(location)
        guard !location.isEmpty, relative.isRelative, relative.components.allSatisfy({ $0.kind == .regular }),
            !location.utf8.contains(0)
        else {
            throw InvalidValue(noun: "location in a mirror", text: location, expected: "it is a path below the mirror")
        }
        return path.pushing(relative)
    }

    /// Whether there is a file at `location`. Blocking.
    package func hasFile(at location: String) -> Bool {
        guard let file = try? file(at: location) else { return false }
        return access(file.string, F_OK) == 0
    }
}
