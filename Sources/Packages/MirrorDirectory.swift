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
        guard Self.isBelow(location) else {
            throw InvalidValue(noun: "location in a mirror", text: location, expected: "it is a path below the mirror")
        }
        return path.pushing(FilePath(location))
    }

    /// The size in bytes of the file at `location`; nil where there is no regular file. Blocking.
    ///
    /// A synchronisation asks for each of 60,000 packages, so that no `FilePath` is taken apart here.
    package func byteCount(at location: String) -> UInt64? {
        var status = stat()
        guard Self.isBelow(location), stat(path.string + "/" + location, &status) == 0,
            status.st_mode & S_IFMT == S_IFREG
        else { return nil }
        return UInt64(status.st_size)
    }

    /// Whether there is a file at `location`. Blocking.
    package func hasFile(at location: String) -> Bool { byteCount(at: location) != nil }

    private static func isBelow(_ location: String) -> Bool {
        let bytes = location.utf8
        let slash = UInt8(ascii: "/")
        return !bytes.isEmpty && bytes.first != slash && !bytes.contains(0)
            && bytes.split(separator: slash).allSatisfy { !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
    }
}
