import CrashModel
import ELF
import Glibc
import Packages
import SystemPackage

/// A program of this host with its loader and every library that it is linked with. Blocking.
struct HostProgram: Sendable {
    struct File: Sendable {
        /// On the host, all links followed.
        let source: FilePath
        /// The absolute path in a debugger root.
        let target: String
    }

    /// Where the program will be in a debugger root.
    let executable: String
    private(set) var files: [File]

    /// More than that no debugger has.
    private static let libraryLimit = 200

    /// - Parameters:
    ///   - path: Of the program, absolute.
    ///   - architecture: What it must be for.
    ///   - host: The directory that stands for `/`.
    /// - Returns: nil when there is no such program, or when it is of another architecture.
    /// - Throws: ``BlockingError``: `debuggerUnusable` when it cannot be started here.
    init?(_ path: String, _ architecture: Architecture, in host: FilePath) throws(BlockingError) {
        executable = usrMerged(path)
        guard let program = Self.real(path, in: host) else { return nil }
        let (own, needed) = try Self.read(program, as: path)
        guard own.architecture == architecture else { return nil }
        guard let interpreter = own.interpreter, let loader = Self.real(interpreter, in: host),
            let slash = usrMerged(interpreter).lastIndex(of: "/"), let name = FilePath(interpreter).lastComponent
        else { throw .stage(.debuggerIsUnusable("\(path) names no dynamic loader that this host has")) }
        let folder = usrMerged(interpreter)[..<slash]
        files = [File(source: program, target: executable), File(source: loader, target: "\(folder)/\(name)")]
        let places = [
            loader.removingLastComponent().string, "/usr/lib/" + architecture.multiarchTuple, "/usr/lib64", "/usr/lib",
        ]
        var seen: Set<String> = [name.string]
        var rest = needed
        while let library = rest.popLast() {
            guard !library.contains("/"), seen.insert(library).inserted else { continue }
            let found = places.lazy.compactMap { place in
                // The first is real already; the others are names of this host.
                Self.real("\(place)/\(library)", in: place == places[0] ? "/" : host)
            }.first
            guard let found, seen.count <= Self.libraryLimit else {
                throw .stage(.debuggerIsUnusable("this host has no \(library.prefix(80)), which \(path) needs"))
            }
            files.append(File(source: found, target: "\(folder)/\(library)"))
            rest += try Self.read(found, as: library).needed
        }
        files.sort { $0.target < $1.target }
    }

    private static func read(
        _ file: FilePath, as name: String
    ) throws(BlockingError) -> (identity: ELFIdentity, needed: [String]) {
        do throws(ELFError) {
            let file = try ELFFile(FileByteSource(file))
            return (try file.identity(), try file.neededLibraries())
        } catch {
            throw .stage(.debuggerIsUnusable("\(name.prefix(80)) of this host is no program: \(error)"))
        }
    }

    private static func real(_ path: String, in host: FilePath) -> FilePath? {
        guard let resolved = realpath(host.string == "/" ? path : host.string + path, nil) else { return nil }
        defer { free(resolved) }
        return FilePath(platformString: resolved)
    }
}
