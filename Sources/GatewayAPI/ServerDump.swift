import Glibc
import HTTPTypes
import SystemPackage
import TaskStorage

/// A kernel's dump that is on the server already, named in `X-CoreFileDirectory` by an operator on this machine.
///
/// Upstream copies the one file of the directory; here it is linked or mounted where it lies.
struct ServerDump: Equatable, Sendable {
    /// The file, absolute and without a symbolic link in it.
    let path: FilePath

    /// Blocking.
    ///
    /// - Parameters:
    ///   - name: What the header says: the file, or a directory with that one file in it.
    ///   - allowed: The directories below which it must lie, links resolved.
    ///   - contentType: What the request declares the file to be.
    /// - Throws: ``Refusal`` with 403 outside of them, 404 for what is not there, 501 for a directory of several files, 409
    ///   for a file that is compressed otherwise than declared. 501 and 409 are upstream's.
    init(named name: String, within allowed: [FilePath], contentType: String) throws(Refusal) {
        let absent = Refusal(.notFound, .noDumpOnServer, advice: .nameTheDump)
        guard name.hasPrefix("/"), !name.utf8.contains(0), name.utf8.count < Int(PATH_MAX),
            var file = Self.resolved(FilePath(name))
        else { throw absent }
        guard allowed.contains(where: { Self.resolved($0).map { file != $0 && file.starts(with: $0) } ?? false }) else {
            throw Refusal(.forbidden, .dumpOutsideOfDirectories, advice: .seeServerDumps)
        }
        if FileKind(of: file) == .directory {
            let names = (try? TaskDirectory.names(in: file)) ?? []
            guard names.count == 1, let only = names.first else {
                throw Refusal(.notImplemented, .severalDumpsOnServer, advice: .nameTheDump)
            }
            file.append(only)
        }
        guard FileKind(of: file) == .regular else { throw absent }
        guard let start = Self.start(of: file), Self.agrees(contentType, start) else {
            throw Refusal(.conflict, .otherTypeOnServer, advice: .sendItsMediaType)
        }
        path = file
    }

    private static func resolved(_ path: FilePath) -> FilePath? {
        path.withPlatformString { text in
            guard let found = realpath(text, nil) else { return nil }
            defer { free(found) }
            return FilePath(platformString: found)
        }
    }

    private static func start(of path: FilePath) -> [UInt8]? {
        guard let file = try? ResultFile(at: path) else { return nil }
        return try? file.read(at: 0, count: 8)
    }

    /// Whether a file that begins so may be of that media type.
    private static func agrees(_ contentType: String, _ start: [UInt8]) -> Bool {
        let xz = start.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])
        let gzip = start.starts(with: [0x1f, 0x8b])
        let zstd = start.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
        return switch contentType {
        case "application/x-xz-compressed-tar": xz
        case "application/x-gzip": gzip
        case "application/zstd": zstd
        default: true
        }
    }
}
