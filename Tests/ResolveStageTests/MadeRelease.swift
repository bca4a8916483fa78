import CrashModel
import Distributions
import Glibc
import Packages
import SystemPackage

/// A mirrored release with invented packages, and crashes of programs from them.
struct MadeRelease {
    let repositories: FilePath
    let releaseID: ReleaseID
    private var packages: [StagedPackage] = []

    init(_ releaseID: String = "debian-12-x86_64", in repositories: FilePath) throws {
        self.repositories = repositories
        self.releaseID = try ReleaseID(releaseID)
        guard mkdir(mirror.path.string, 0o755) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    }

    var mirror: MirrorDirectory { MirrorDirectory(releaseID, in: repositories) }
    var indexes: PackageIndexes { PackageIndexes(repositories: repositories) }

    mutating func add(
        _ name: String, source: String? = nil, architecture: String = "amd64", _ paths: [IndexedPath]
    ) throws {
        try add(name, "1.0-1", source: source, architecture: architecture, paths)
    }

    mutating func add(
        _ name: String, _ version: String, source: String? = nil, architecture: String = "amd64",
        offeredBy repository: String? = nil, _ paths: [IndexedPath]
    ) throws {
        let number = String(packages.count, radix: 16)
        let package = IndexedPackage(
            nevra: try NEVRA(name: name, debianVersion: version, architecture: architecture),
            sha256: String(repeating: "0", count: 64 - number.count) + number,
            location: "pool/\(name)_\(version)_\(architecture).deb", byteCount: 1, kind: PackageKind(packageName: name),
            source: SourcePackage(name: source ?? name, version: version))
        packages.append(
            StagedPackage(
                package, files: paths, offer: repository.map { PackageOffer(repository: $0, path: "x/\(name).deb") }))
    }

    func publish() throws {
        let builder = try PackageIndexBuilder(for: mirror)
        try builder.add(packages)
        _ = try builder.publish()
    }
}

/// A build-id that is easily told from others.
func buildID(_ number: UInt8) throws -> BuildID { try BuildID(bytes: [UInt8](repeating: number, count: 20)) }

func binary(_ path: String, _ number: UInt8?) throws -> IndexedPath {
    IndexedPath(path: path, kind: .binary, buildID: try number.map { try buildID($0) })
}

func debug(_ number: UInt8, target: String? = nil) throws -> IndexedPath {
    let buildID = try buildID(number)
    return IndexedPath(path: buildID.debugPath, kind: .debug, buildID: buildID, target: target)
}

func module(
    _ path: String, _ number: UInt8?, _ kind: LoadedModule.Kind = .library, note: PackageNote? = nil
) throws -> LoadedModule {
    LoadedModule(
        path: path, buildID: try number.map { try buildID($0) }, start: 0x1000, end: 0x2000, kind: kind,
        packageNote: note)
}

func crash(
    _ modules: [LoadedModule], reported: ReportedCrash = ReportedCrash(osRelease: "Debian GNU/Linux 12 (bookworm)"),
    architecture: Architecture = .x86_64
) -> Crash {
    Crash(
        kind: .coredump, architecture: architecture, reported: reported, executable: modules.first?.path ?? "/bin/x",
        threadCount: 1, modules: modules)
}

/// The plugins that are shipped.
func shippedCatalog() throws -> DistributionCatalog {
    var checkout = FilePath(#filePath)
    for _ in 0..<3 { checkout.removeLastComponent() }
    return try DistributionCatalog(plugins: checkout.appending("plugins"), keys: checkout.appending("gpg"))
}
