import CrashModel
import Glibc
import Packages
import SystemPackage

/// A root directory while it is put together from the trees of packages, by hard links.
///
/// Blocking, and used by one thread.
struct RootAssembly {
    /// What becomes of links with an absolute target.
    enum AbsoluteLinks {
        /// They stay: the directory will be `/`.
        case kept
        /// They become relative: the directory will be mounted below another root and must not lead there.
        case madeRelative
    }

    let root: DirectoryHandle
    private let absoluteLinks: AbsoluteLinks
    /// What is not in the root although a package has it.
    private(set) var leftOut: [LeftOut] = []
    private(set) var fileCount = 0

    /// The directories that a system with merged `/usr` has as links (file-hierarchy(7)).
    private static let mergedDirectories = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32"]
    /// Packages nest no deeper than this; a deeper one would eat descriptors.
    private static let depthLimit = 64

    /// Makes the skeleton of a root in the existing, empty directory `path`.
    ///
    /// - Throws: `Errno` of the system call that failed.
    init(at path: FilePath, absoluteLinks: AbsoluteLinks) throws(Errno) {
        root = try DirectoryHandle(path)
        self.absoluteLinks = absoluteLinks
        let usr = try root.makingDirectory("usr".fileName)
        for name in Self.mergedDirectories {
            _ = try usr.makingDirectory(name.fileName)
            try root.makeLink(name.fileName, to: "usr/" + name)
        }
        // Programs expect them, and the root is read-only when it is used.
        for name in ["dev", "etc", "proc", "run", "sys", "tmp", "var"] { _ = try root.makingDirectory(name.fileName) }
    }

    /// Links everything of a package's tree; where a name is taken already, what was there first stays.
    ///
    /// - Throws: `Errno` of the system call that failed.
    mutating func add(_ tree: FilePath, of package: NEVRA) throws(Errno) {
        try merge(try DirectoryHandle(tree), into: root, path: [], of: package)
    }

    mutating func merge(
        _ source: DirectoryHandle, into target: DirectoryHandle, path: [String], of package: NEVRA
    ) throws(Errno) {
        guard path.count < Self.depthLimit else { return note(path, of: package, because: .unusable) }
        for entry in try source.entries() {
            switch entry.kind {
            case .directory:
                let name = path + [entry.text]
                let directory: DirectoryHandle
                do throws(Errno) {
                    directory = try target.makingDirectory(entry.name)
                } catch Errno.notDirectory, Errno.tooManySymbolicLinkLevels {
                    note(name, of: package, because: .taken)
                    continue
                }
                try merge(try DirectoryHandle(entry.name, in: source), into: directory, path: name, of: package)
            case .file, .link:
                try link(entry.name, kind: entry.kind, from: source, into: target, path: path, of: package)
            case .other:
                note(path + [entry.text], of: package, because: .unusable)
            }
        }
    }

    /// Links one file or link into the directory whose components are `path`.
    mutating func link(
        _ name: [CChar], kind: DirectoryEntry.Kind, from source: DirectoryHandle, into target: DirectoryHandle,
        path: [String], of package: NEVRA
    ) throws(Errno) {
        do throws(Errno) {
            if kind == .link, absoluteLinks == .madeRelative {
                let destination = try source.target(of: name)
                if destination.hasPrefix("/") {
                    let up = String(repeating: "../", count: path.count)
                    try target.makeLink(name, to: up + usrMerged(destination).drop { $0 == "/" })
                    return
                }
            }
            try target.link(name, from: source, as: name)
            fileCount += 1
        } catch Errno.fileExists {
            guard !isSame(name, source, target) else { return }
            note(path + [DirectoryEntry(name: name, kind: kind).text], of: package, because: .taken)
        }
    }

    /// The directory with these components, made if it is absent.
    func directory(_ components: [String]) throws(Errno) -> DirectoryHandle {
        var directory = root
        for name in components { directory = try directory.makingDirectory(name.fileName) }
        return directory
    }

    mutating func note(_ path: [String], of package: NEVRA, because reason: LeftOut.Reason) {
        if let known = leftOut.lastIndex(where: { $0.package == package && $0.reason == reason }) {
            leftOut[known].count += 1
        } else {
            leftOut.append(
                LeftOut(package: package, reason: reason, count: 1, example: "/" + path.joined(separator: "/")))
        }
    }

    /// Whether both names are one file, or links to one place.
    private func isSame(_ name: [CChar], _ left: DirectoryHandle, _ right: DirectoryHandle) -> Bool {
        guard let a = left.status(of: name), let b = right.status(of: name) else { return false }
        if a.st_dev == b.st_dev, a.st_ino == b.st_ino { return true }
        guard a.st_mode & S_IFMT == S_IFLNK, b.st_mode & S_IFMT == S_IFLNK else { return false }
        return (try? left.target(of: name)) == (try? right.target(of: name))
    }
}
