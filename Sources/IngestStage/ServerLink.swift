import Archives
import Coredumps
import CrashModel
import ELF
import Glibc
import SystemPackage
import TaskStorage

/// A link in `crash/` that says where on the server a file of the dump is. Only ingest makes it, and only for a path that
/// an operator allowed; no member of an archive can have the name.
enum ServerLink: String, CaseIterable, Sendable {
    case dump = "vmcore.server"
    /// VMware's memory beside its snapshot.
    case memory = "vmcore.server.vmem"

    /// nil when there is none. Blocking.
    func path(in crash: FilePath) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = crash.appending(rawValue).withPlatformString { name in
            buffer.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map { readlink(name, $0, bytes.count) } ?? -1
            }
        }
        guard count > 0, buffer.first == UInt8(ascii: "/") else { return nil }
        return String(validating: buffer.prefix(count), as: UTF8.self)
    }

    /// Blocking.
    func make(to path: FilePath, in directory: DirectoryDescriptor) throws(StageError) {
        let status = path.withPlatformString { symlinkat($0, directory.descriptor.rawValue, rawValue) }
        guard status == 0 else { throw StageError(ArchiveError("note where the dump is", errno: errno)) }
    }
}

/// The files of a dump that lies on the server.
struct ServerFiles: Sendable {
    let dump: FilePath
    /// What it is called in `crash/`.
    let member: Member
    /// VMware's memory beside its snapshot; nil where there is none.
    let memory: FilePath?

    /// Blocking.
    init(_ path: FilePath) {
        dump = path
        let named: Member? =
            switch path.extension {
            case "vmss": .vmcoreSuspended
            case "vmsn": .vmcoreSnapshot
            default: nil
            }
        let beside = Self.memory(of: path, isNamed: named != nil)
        memory = beside
        // crash looks for the memory by the name of the snapshot, so one that is called otherwise gets such a name.
        member = named ?? (beside == nil ? .vmcore : .vmcoreSuspended)
    }

    /// `machine.vmem` of `machine.vmss`; `vmcore.vmem` of a `vmcore` that is VMware's by its content.
    private static func memory(of path: FilePath, isNamed: Bool) -> FilePath? {
        guard isNamed || isSnapshot(path) else { return nil }
        let name = path.lastComponent?.string ?? ""
        let beside = path.removingLastComponent().appending(KernelDump.memoryName(beside: name))
        return FileKind(of: beside) == .regular ? beside : nil
    }

    /// Whether a file is VMware's snapshot by its content. Blocking.
    static func isSnapshot(_ path: FilePath) -> Bool {
        guard let source = try? FileByteSource(path), case .vmcore(.vmware) = try? dumpKind(of: source) else {
            return false
        }
        return true
    }

    /// Gives the files their places in `crash/` without copying anything of them: as links, or by their paths where one of
    /// them is on another file system or may not be linked. Blocking.
    func take(into partial: DirectoryDescriptor) throws(StageError) {
        // First, so that no link to an operator's file is ever without it.
        let mark = try answering { () throws(ArchiveError) in
            try partial.createFile(TaskDirectory.linkedDumpMark, mode: 0o600)
        }
        if let mark { close(mark.rawValue) }
        if try link(dump, as: member, in: partial) {
            guard let memory else { return }
            if try link(memory, as: .vmcoreMemory, in: partial) { return }
            _ = try answering { () throws(ArchiveError) in try partial.remove(member.rawValue) }
        }
        _ = try answering { () throws(ArchiveError) in try partial.remove(TaskDirectory.linkedDumpMark) }
        try ServerLink.dump.make(to: dump, in: partial)
        if let memory { try ServerLink.memory.make(to: memory, in: partial) }
    }

    private func link(
        _ path: FilePath, as member: Member, in partial: DirectoryDescriptor
    ) throws(StageError) -> Bool {
        let status = path.withPlatformString {
            linkat(AT_FDCWD, $0, partial.descriptor.rawValue, member.rawValue, 0)
        }
        if status == 0 { return true }
        // A kernel with fs.protected_hardlinks lets nobody but the owner link a file.
        guard [EXDEV, EPERM, EMLINK, EACCES].contains(errno) else {
            throw StageError(ArchiveError("link the dump into its place", errno: errno))
        }
        return false
    }
}
