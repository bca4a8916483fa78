import CrashModel
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
    ///   - name: What the header says: the file, or a directory with that one file in it, or with the two of VMware.
    ///   - allowed: The directories below which it must lie, links resolved.
    ///   - contentType: What the request declares the file to be.
    /// - Throws: ``Refusal`` with 403 outside of them and for what this service may not read, 404 for what is not there, 501
    ///   for a directory of several files, 409 for a file that is compressed otherwise than declared. 501 and 409 are
    ///   upstream's.
    init(named name: String, within allowed: [FilePath], contentType: String) throws(Refusal) {
        guard name.hasPrefix("/"), !name.utf8.contains(0), name.utf8.count < Int(PATH_MAX) else { throw Self.absent }
        var file = try Self.reading { () throws(Errno) in try Self.resolved(FilePath(name)) }
        guard allowed.contains(where: { (try? Self.resolved($0)).map { file != $0 && file.starts(with: $0) } ?? false })
        else { throw Refusal(.forbidden, .dumpOutsideOfDirectories, advice: .seeServerDumps) }
        if FileKind(of: file) == .directory {
            let folder = file
            let names = try Self.reading { () throws(Errno) in try TaskDirectory.names(in: folder) }
            guard let dump = Self.dump(among: names) else {
                throw Refusal(.notImplemented, .severalDumpsOnServer, advice: .nameTheDump)
            }
            file.append(dump)
        }
        // Of what is in a directory that may only be listed nothing is told; opening it says why.
        let kind = FileKind(of: file)
        guard kind == .regular || kind == nil else { throw Self.absent }
        path = file
        let dump = file
        let start = try Self.reading { () throws(Errno) in try Self.start(of: dump) }
        guard Self.agrees(contentType, start) else {
            throw Refusal(.conflict, .otherTypeOnServer, advice: .sendItsMediaType)
        }
        guard Self.isSnapshot(start) else { return }
        let memory = file.removingLastComponent().appending(
            KernelDump.memoryName(beside: file.lastComponent?.string ?? ""))
        switch FileKind(of: memory) {
        case nil: break
        case .regular?: _ = try Self.reading { () throws(Errno) in try Self.start(of: memory) }
        // Nobody has compared where a link leads with the list of directories.
        default: throw Refusal(.forbidden, .dumpOutsideOfDirectories, advice: .seeServerDumps)
        }
    }

    /// Whether a file that begins so is VMware's snapshot; its memory lies beside it.
    private static func isSnapshot(_ start: [UInt8]) -> Bool {
        start.count >= 4 && start[1] == start[3] && (start[1] == 0xbe || start[1] == 0xba)
    }

    /// The only file, or VMware's snapshot when nothing but its memory is beside it; nil for several.
    private static func dump(among names: [String]) -> String? {
        if names.count == 1 { return names.first }
        guard names.count == 2, let snapshot = names.first(where: { !$0.hasSuffix(".vmem") }) else { return nil }
        return names.contains(KernelDump.memoryName(beside: snapshot)) ? snapshot : nil
    }

    private static let absent = Refusal(.notFound, .noDumpOnServer, advice: .nameTheDump)

    /// What may not be read is told apart from what is not there, so that the operator knows what to mend.
    private static func reading<Value>(_ work: () throws(Errno) -> Value) throws(Refusal) -> Value {
        do throws(Errno) {
            return try work()
        } catch Errno.noSuchFileOrDirectory, Errno.notDirectory, Errno.tooManySymbolicLinkLevels {
            throw absent
        } catch {
            throw Refusal(.forbidden, .dumpNotReadable, advice: .letServicesRead)
        }
    }

    private static func resolved(_ path: FilePath) throws(Errno) -> FilePath {
        let found: Result<FilePath, Errno> = path.withPlatformString { text in
            guard let found = realpath(text, nil) else { return .failure(Errno(rawValue: errno)) }
            defer { free(found) }
            return .success(FilePath(platformString: found))
        }
        return try found.get()
    }

    private static func start(of path: FilePath) throws(Errno) -> [UInt8] {
        guard let file = try ResultFile(at: path) else { throw .noSuchFileOrDirectory }
        return try file.read(at: 0, count: 8)
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
