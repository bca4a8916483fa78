import Archives
import CrashModel

/// The files that an upload may hold; nothing else is ever written.
enum Member: String, CaseIterable, Sendable {
    case coredump
    case executable
    case package
    case packages
    case osRelease = "os_release"
    case osReleaseInRootDirectory = "os_release_in_rootdir"
    case release
    case rootDirectory = "rootdir"
    case vmcore
    /// The memory of a suspended machine of VMware, beside one of the next two.
    case vmcoreMemory = "vmcore.vmem"
    /// The state of a suspended machine of VMware, and that of a snapshot.
    case vmcoreSuspended = "vmcore.vmss"
    case vmcoreSnapshot = "vmcore.vmsn"

    /// What ABRT's client always packs for a program, and upstream refuses to go on without.
    static let required: [Member] = [.coredump, .executable, .package]

    /// The files that can be the dump of a kernel, the best first: of several the last in the order of names is taken,
    /// as upstream does.
    static let kernelDumps: [Member] = [.vmcore, .vmcoreSuspended, .vmcoreSnapshot, .vmcoreMemory]

    /// Those of them that have their memory beside them.
    static let snapshots: [Member] = [.vmcoreSuspended, .vmcoreSnapshot]

    /// The most bytes it may have; nil for a dump, which only the limit of the whole archive bounds.
    ///
    /// These are upstream's, but for the two `os_release` files: clients other than ABRT's send all of os-release(5).
    var maxBytes: Int64? {
        switch self {
        case .coredump, .vmcore, .vmcoreMemory, .vmcoreSuspended, .vmcoreSnapshot: nil
        case .executable: 512
        case .package, .release: 128
        case .packages: 1 << 20
        case .osRelease, .osReleaseInRootDirectory: 4096
        case .rootDirectory: 256
        }
    }

    /// Whether its text may have several lines, as os-release(5) has.
    var mayHaveLines: Bool { self == .osRelease || self == .osReleaseInRootDirectory }

    /// Whether the file is kept; upstream once let clients choose packages by it.
    var isKept: Bool { self != .packages }

    /// Which member an entry is; nil for the entry `./` of the archive's own directory.
    ///
    /// - Parameter kind: What the client says that it sends.
    /// - Throws: ``StageError`` with `unsafe-member`, `unexpected-member` or `wrong-task-type`.
    static func named(by entry: ArchiveEntry, of kind: DumpKind) throws(StageError) -> Member? {
        let shown = quoted(entry.path)
        let path = entry.path.starts(with: "./".utf8) ? entry.path.dropFirst(2) : entry.path[...]
        if entry.kind == .directory, path.isEmpty || path.elementsEqual(".".utf8) { return nil }
        let components = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if path.first == UInt8(ascii: "/") || components.contains(where: { $0.elementsEqual("..".utf8) }) {
            throw .refused(
                .unsafeMember, "The archive has a member \(shown), whose path leads out of the archive.", plainAdvice)
        }
        guard entry.kind == .regular else {
            throw .refused(
                .unsafeMember, "The archive's member \(shown) is a \(entry.kind.rawValue), not a regular file.",
                plainAdvice)
        }
        guard let member = allCases.first(where: { path.elementsEqual($0.rawValue.utf8) }) else {
            throw .refused(
                .unexpectedMember, "The archive has a member \(shown), which is no file of a crash.",
                "Pack only \(allCases.map(\.rawValue).joined(separator: ", ")), without directories.")
        }
        if kernelDumps.contains(member), kind == .coredump { throw .kernelDumpOfProcess() }
        return member
    }

    private static let plainAdvice =
        "Pack the files of the crash themselves, by their bare names: tar -C DIRECTORY -cJ coredump executable package."
}

/// A name from an archive for a person to read: ASCII only, the rest as `\xNN`, at most 60 bytes of it.
func quoted(_ name: [UInt8]) -> String {
    let shown = name.prefix(60).map { byte in
        (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "'")
            ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return "'" + shown.joined() + (name.count > 60 ? "…" : "") + "'"
}

extension StageError {
    /// A kernel's dump came as the crash of a program.
    static func kernelDumpOfProcess() -> StageError {
        .refused(
            .wrongTaskType, "This is the dump of a kernel, and the request says that it is of a program.",
            "Send it as a file named vmcore with X-Task-Type: 2, from the web page by the choice that the kernel crashed."
        )
    }
}
