import Dependencies
import Distributions
import Glibc
import Packages
import SystemPackage

/// Removes what earlier synchronisations and fetches left in a mirror and nobody comes back for: downloads that were broken
/// off and locks of a week ago. Blocking.
func removeLeftovers(of mirror: MirrorDirectory, now: Int64 = microsecondsNow() / 1_000_000) throws {
    for folder in [mirror.pool, mirror.path.appending("fetching")] {
        for name in try names(in: folder) where name.contains(".unverified") || name.hasSuffix(".lock") {
            let path = folder.appending(name)
            var status = stat()
            guard lstat(path.string, &status) == 0, now - Int64(status.st_mtim.tv_sec) > 7 * 86_400 else { continue }
            try removeFile(path)
        }
    }
}

/// Removes the metadata of RPM repositories that newer metadata has replaced. Blocking.
func removeReplacedMetadata(of opened: [RPMRepository], in folders: SyncFolders) throws {
    let current = Set(
        opened.flatMap { [$0.metadata.primary, $0.metadata.fileLists].compactMap { $0?.lastComponent?.string } })
    let prefixes = opened.map { "\($0.repository.name)_" }
    for name in try names(in: folders.metadata)
    where !current.contains(name) && prefixes.contains(where: name.hasPrefix) {
        try removeFile(folders.metadata.appending(name))
    }
}

/// The names in a folder; none where there is no folder. Blocking.
func names(in folder: FilePath) throws -> [String] {
    guard let directory = opendir(folder.string) else {
        if errno == ENOENT { return [] }
        throw Errno(rawValue: errno)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
