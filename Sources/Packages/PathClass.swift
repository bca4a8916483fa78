import CrashModel
import ELF

/// What the place of a file says of its use.
///
/// The places are those of gdb's manual, "Debugging Information in Separate Files" and "Auto-loading extensions", and of
/// rpm's find-debuginfo(1).
struct PathClass {
    let path: String
    private let place: Place

    private enum Place {
        case debugByBuildID(BuildID)
        case linkByBuildID(BuildID)
        case dwz
        case debugDirectory
        case autoLoadScript
        case other
    }

    /// - Parameter path: Absolute and usr-merged.
    init(_ path: String) {
        self.path = path
        place = Self.place(of: path)
    }

    func elfFile(_ identity: ELFIdentity) -> IndexedPath? {
        switch place {
        case .debugByBuildID(let buildID): IndexedPath(path: path, kind: .debug, buildID: buildID)
        case .dwz: IndexedPath(path: path, kind: .dwz, buildID: identity.buildID)
        case .debugDirectory: IndexedPath(path: path, kind: .debugByPath, buildID: identity.buildID)
        case .linkByBuildID, .autoLoadScript, .other:
            // An object file without a build-id is never mapped by a process.
            identity.type == .relocatable && identity.buildID == nil
                ? nil : IndexedPath(path: path, kind: .binary, buildID: identity.buildID)
        }
    }

    func link(to target: String?) -> IndexedPath? {
        switch place {
        case .debugByBuildID(let buildID): IndexedPath(path: path, kind: .debug, buildID: buildID, target: target)
        case .linkByBuildID(let buildID):
            IndexedPath(path: path, kind: .buildIDLink, buildID: buildID, target: target)
        case .autoLoadScript: IndexedPath(path: path, kind: .autoLoad, target: target)
        case .dwz, .debugDirectory, .other: nil
        }
    }

    func otherFile(isExecutable: Bool) -> IndexedPath? {
        switch place {
        case .autoLoadScript: IndexedPath(path: path, kind: .autoLoad)
        case .other where isExecutable: IndexedPath(path: path, kind: .script)
        case .debugByBuildID, .linkByBuildID, .dwz, .debugDirectory, .other: nil
        }
    }

    /// What a name alone can say.
    enum NameClass {
        case debug(BuildID)
        case link(BuildID)
        case dwz
        case debugByPath
        case autoLoad
        case program
        case nothing
    }

    var nameOnly: NameClass {
        switch place {
        case .debugByBuildID(let buildID): .debug(buildID)
        case .linkByBuildID(let buildID): .link(buildID)
        case .dwz: .dwz
        case .debugDirectory: path.hasSuffix(".debug") ? .debugByPath : .nothing
        case .autoLoadScript: .autoLoad
        case .other: path.hasPrefix("/usr/lib/debug/") || path.hasPrefix("/usr/lib/.build-id/") ? .nothing : .program
        }
    }

    private static func place(of path: String) -> Place {
        if let isDebug = path.hasPrefix("/usr/lib/debug/") ? true : path.hasPrefix("/usr/share/gdb/") ? false : nil {
            if ["-gdb.py", "-gdb.gdb", "-gdb.scm"].contains(where: path.hasSuffix) { return .autoLoadScript }
            guard isDebug else { return .other }
            if let (buildID, suffix) = buildID(path.dropFirst("/usr/lib/debug".count)) {
                return suffix == ".debug" ? .debugByBuildID(buildID) : suffix.isEmpty ? .linkByBuildID(buildID) : .other
            }
            return path.hasPrefix("/usr/lib/debug/.dwz/") ? .dwz : .debugDirectory
        }
        if path.hasPrefix("/usr/lib/.build-id/"), let (buildID, suffix) = buildID(path.dropFirst("/usr/lib".count)) {
            return suffix.isEmpty ? .linkByBuildID(buildID) : .other
        }
        return .other
    }

    /// Reads `/.build-id/xx/yyyy<suffix>`.
    private static func buildID(_ path: Substring) -> (BuildID, suffix: Substring)? {
        let bytes = path.utf8
        let start = bytes.index(bytes.startIndex, offsetBy: directory.count, limitedBy: bytes.endIndex)
        guard let start, bytes[..<start].elementsEqual(directory) else { return nil }
        guard let slash = bytes[start...].firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let rest = bytes[bytes.index(after: slash)...]
        let dot = rest.firstIndex(of: UInt8(ascii: ".")) ?? rest.endIndex
        guard !rest.contains(UInt8(ascii: "/")),
            let buildID = try? BuildID(String(path[start..<slash]) + path[rest.startIndex..<dot])
        else { return nil }
        return (buildID, path[dot...])
    }

    private static let directory = Array("/.build-id/".utf8)
}
