import CrashModel
import ELF
import SystemPackage

/// What a file turned out to be when it was to have a build-id.
enum FileProof: Hashable, Sendable {
    /// It has the build-id, or the core gave none to compare with.
    case genuine
    /// It has another one.
    case other(BuildID)
    /// It has none, or is no ELF file.
    case none
    /// There is no regular file.
    case absent
}

/// Reads the build-id of a file below `tree`, links followed inside it, and compares. Blocking.
///
/// The index of an RPM repository takes build-ids from names that the packages give; only the files themselves prove them.
///
/// - Parameters:
///   - tree: The directory that stands for `/`.
///   - place: The path of the same directory.
/// - Throws: `Errno` of a directory that cannot be opened.
func proof(
    of file: String, as buildID: BuildID?, in tree: DirectoryHandle, at place: FilePath
) throws(Errno) -> FileProof {
    guard let found = try walk(file, in: tree), found.kind == .file else { return .absent }
    guard let buildID else { return .genuine }
    do throws(ELFError) {
        let source = try FileByteSource(found.components.reduce(place) { $0.appending($1) })
        guard ELFHeader.hasMagic(try source.read(at: 0, count: 4)),
            let own = try ELFFile(source).identity().buildID
        else { return .none }
        return own == buildID ? .genuine : .other(own)
    } catch {
        // What cannot be read as ELF cannot be what crashed.
        return .none
    }
}

extension FileProof {
    /// For a sentence: what the file has instead of the build-id; nil when nothing is wrong with it.
    var contradiction: String? {
        switch self {
        case .genuine, .absent: nil
        case .other(let buildID): "has build-id \(buildID)"
        case .none: "has no build-id"
        }
    }
}
