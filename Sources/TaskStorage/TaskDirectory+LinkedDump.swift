import SystemPackage

extension TaskDirectory {
    /// The name in ``crash`` of an empty file that says that the dump beside it is a link to an operator's own file. Only
    /// ingest makes it, before `crash/` has its name; no member of an archive can be called so.
    package static let linkedDumpMark = "vmcore.linked"

    /// Whether the dump is a link to an operator's own file, whose content, mode and owner are not ours: its operator may
    /// write it anew in its place at any time. Blocking.
    package var hasLinkedDump: Bool { FileKind(of: crash.appending(Self.linkedDumpMark)) != nil }
}
