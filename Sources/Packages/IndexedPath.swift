package import CrashModel

/// A file of a package that a core, a debugger or a person may ask for.
package struct IndexedPath: Hashable, Sendable {
    /// Absolute and usr-merged.
    package let path: String
    package let kind: FileKind
    /// From the file's own note, or from its name below `.build-id`.
    package let buildID: BuildID?
    /// For a symbolic link the absolute, usr-merged path that it leads to, inside the package or not.
    package let target: String?

    package init(path: String, kind: FileKind, buildID: BuildID? = nil, target: String? = nil) {
        self.path = usrMerged(path)
        self.kind = kind
        self.buildID = buildID
        self.target = target.map(usrMerged)
    }
}

/// What a file is to a debugger; the raw value is what the index stores.
package enum FileKind: Int, Hashable, Sendable, CaseIterable {
    /// An ELF program or library.
    case binary = 0
    /// An executable file that is not ELF.
    case script = 1
    /// `/usr/lib/.build-id/xx/yy` (rpm): leads to the binary with that build-id.
    case buildIDLink = 2
    /// `/usr/lib/debug/.build-id/xx/yy.debug`: DWARF by build-id.
    case debug = 3
    /// `/usr/lib/debug/<path>`: DWARF under the name of its binary, found through `.gnu_debuglink`.
    case debugByPath = 4
    /// `/usr/lib/debug/.dwz/…`: DWARF that several debug files share (`.gnu_debugaltlink`).
    case dwz = 5
    /// A script that gdb loads by itself with a program or library, such as `python3.11-gdb.py`.
    case autoLoad = 6
}

/// A file and the package that holds it: one answer of the package index.
package struct IndexedFile: Hashable, Sendable {
    package let package: IndexedPackage
    package let file: IndexedPath

    package var path: String { file.path }
    package var buildID: BuildID? { file.buildID }
    package var kind: FileKind { file.kind }

    package init(package: IndexedPackage, file: IndexedPath) {
        self.package = package
        self.file = file
    }
}
