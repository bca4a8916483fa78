import CrashModel
import SystemPackage

extension RootAssembly {
    /// Links one file of a package's tree, and the links of the tree that lead to it.
    ///
    /// - Parameter path: Absolute, in either spelling of a merged `/usr`.
    /// - Returns: The components of the regular file at the end; nil when the tree has none.
    /// - Throws: `Errno` of the system call that failed.
    mutating func add(file path: String, from tree: DirectoryHandle, of package: NEVRA) throws(Errno) -> [String]? {
        var links: [(directory: [String], name: String)] = []
        let found = try walk(path, in: tree) { directory, name throws(Errno) in links.append((directory, name)) }
        for step in links { try link(step.name, in: step.directory, kind: .link, from: tree, of: package) }
        guard let found, found.kind == .file, let name = found.components.last else { return nil }
        try link(name, in: found.components.dropLast(), kind: .file, from: tree, of: package)
        return found.components
    }

    /// Links everything below one directory of a package's tree, if the tree has it.
    ///
    /// - Throws: `Errno` of the system call that failed.
    mutating func add(directory path: String, from tree: DirectoryHandle, of package: NEVRA) throws(Errno) {
        guard let found = try walk(path, in: tree), found.kind == .directory else { return }
        let source = try Self.open(found.components, in: tree)
        try merge(source, into: try directory(found.components), path: found.components, of: package)
    }

    private mutating func link(
        _ name: String, in components: [String], kind: DirectoryEntry.Kind, from tree: DirectoryHandle,
        of package: NEVRA
    ) throws(Errno) {
        let target: DirectoryHandle
        do throws(Errno) {
            target = try directory(components)
        } catch Errno.notDirectory, Errno.tooManySymbolicLinkLevels {
            note(components + [name], of: package, because: .taken)
            return
        }
        try link(
            name.fileName, kind: kind, from: try Self.open(components, in: tree), into: target, path: components,
            of: package)
    }

    private static func open(_ components: [String], in tree: DirectoryHandle) throws(Errno) -> DirectoryHandle {
        var directory = tree
        for name in components { directory = try DirectoryHandle(name.fileName, in: directory) }
        return directory
    }

    /// Takes away the name of a file that is none of those that were wanted, links inside the root followed.
    ///
    /// - Returns: Whether there was one.
    func remove(file path: String) throws(Errno) -> Bool {
        guard let found = try walk(path, in: root), found.kind == .file, let name = found.components.last else {
            return false
        }
        try Self.open(Array(found.components.dropLast()), in: root).removeFile(name.fileName)
        return true
    }

    /// Whether the root has a regular file at `path`, links inside the root followed.
    func hasFile(_ path: String) throws(Errno) -> Bool {
        try walk(path, in: root)?.kind == .file
    }
}
