import Glibc
import SystemPackage

/// Writes the entries of one package below one directory.
final class PackageUnpacker {
    private let root: DirectoryDescriptor
    /// The directories from the root down to where the last entry was: most entries follow one another in a directory.
    private var path: [(name: [CChar], directory: DirectoryDescriptor)] = []
    private var merged: Set<String> = ["bin", "sbin", "lib", "lib64"]
    private(set) var files = 0
    private(set) var directories = 0
    private(set) var symbolicLinks = 0
    private(set) var bytes: Int64 = 0

    init(root: DirectoryDescriptor) { self.root = root }

    /// Writes one entry; the reason when it is left out.
    ///
    /// - Throws: ``ArchiveError`` when the archive or the disk gives up.
    func unpack(_ step: PackageWalk.Step, from reader: ArchiveReader) throws(ArchiveError) -> RefusedEntry.Reason? {
        let path = step.path.usrMerged
        guard let name = path.components.last else { return nil }
        if path.components.count > step.path.components.count {
            merged.insert(
                String(decoding: (step.path.components[0].dropLast()).map { UInt8(bitPattern: $0) }, as: UTF8.self))
            // The merged directory itself: the package's own idea of it, a directory or a link, does not matter.
            if step.path.components.count == 1, step.entry.kind != .directory { return nil }
        }
        if step.entry.kind == .directory {
            return try enter(path.components[...]) == nil ? .throughLink : nil
        }
        guard let parent = try enter(path.components.dropLast()) else { return .throughLink }
        switch step.entry.kind {
        case .regular: return try writeFile(name, in: parent, step.entry, from: reader)
        case .symbolicLink: return try makeLink(name, in: parent, to: step.entry.linkTarget ?? [])
        case .hardLink: return try makeHardLink(name, in: parent, step, from: reader)
        case .directory, .characterDevice, .blockDevice, .fifo, .socket, .unknown: return .isSpecial
        }
    }

    /// Puts a symbolic link at the old place of every merged directory.
    func addUsrMergeLinks() throws(ArchiveError) {
        try root.makeDirectory("usr", mode: 0o755)
        for name in merged.sorted() where symlinkat("usr/\(name)", root.descriptor.rawValue, name) != 0 {
            guard errno == EEXIST else { throw ArchiveError("make the link \(name)", errno: errno) }
        }
    }

    /// The directory of that path, made where it is missing; nil when something else is in the way.
    private func enter(_ components: ArraySlice<[CChar]>) throws(ArchiveError) -> DirectoryDescriptor? {
        let common = zip(path, components).prefix { $0.name == $1 }.count
        path.removeSubrange(common...)
        for name in components.dropFirst(common) {
            let above = path.last?.directory ?? root
            if try above.makeDirectory(name, mode: 0o755) { directories += 1 }
            guard let directory = try above.openDirectory(name) else { return nil }
            path.append((name, directory))
        }
        return path.last?.directory ?? root
    }

    private func writeFile(
        _ name: [CChar], in parent: DirectoryDescriptor, _ entry: ArchiveEntry, from reader: ArchiveReader
    ) throws(ArchiveError) -> RefusedEntry.Reason? {
        let mode: UInt32 = entry.permissions & 0o111 == 0 ? 0o644 : 0o755
        guard let file = try parent.createFile(name, mode: mode) else { return .alreadyThere }
        try write(reader, to: file, entry)
        files += 1
        return nil
    }

    private func makeLink(
        _ name: [CChar], in parent: DirectoryDescriptor, to target: [UInt8]
    ) throws(ArchiveError) -> RefusedEntry.Reason? {
        let target = target.map { CChar(bitPattern: $0) } + [0]
        guard symlinkat(target, parent.descriptor.rawValue, name) == 0 else {
            if errno == EEXIST { return .alreadyThere }
            throw ArchiveError("make a symbolic link", errno: errno)
        }
        symbolicLinks += 1
        return nil
    }

    private func makeHardLink(
        _ name: [CChar], in parent: DirectoryDescriptor, _ step: PackageWalk.Step, from reader: ArchiveReader
    ) throws(ArchiveError) -> RefusedEntry.Reason? {
        guard let components = step.hardLinkTarget?.usrMerged.components, let target = components.last,
            let directory = try find(components.dropLast()), let file = try directory.openFile(target)
        else { return .linkLeavesPackage }
        close(file.rawValue)
        guard linkat(directory.descriptor.rawValue, target, parent.descriptor.rawValue, name, 0) == 0 else {
            if errno == EEXIST { return .alreadyThere }
            throw ArchiveError("make a hard link", errno: errno)
        }
        files += 1
        // RPM's cpio has the content of a group of hard links in the last one.
        if step.entry.byteCount > 0, let file = try parent.openFile(name, writable: true) {
            try write(reader, to: file, step.entry)
        }
        return nil
    }

    /// The directory of that path where it is there already.
    private func find(_ components: ArraySlice<[CChar]>) throws(ArchiveError) -> DirectoryDescriptor? {
        var directory = root
        for name in components {
            guard let next = try directory.openDirectory(name) else { return nil }
            directory = next
        }
        return directory
    }

    private func write(_ reader: ArchiveReader, to file: FileDescriptor, _ entry: ArchiveEntry) throws(ArchiveError) {
        try FileContentWriter(takingOwnershipOf: file, leavesHoles: false).write(entry, from: reader)
        bytes += entry.byteCount
    }
}
