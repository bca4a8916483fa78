import ChrootStage
import CrashModel
import Distributions
import Glibc
import Packages
import Sandbox
import SystemPackage
import TestFixtures

/// A small release made in the test: its mirror, a package store and a builder, all in one scratch directory.
struct DebianRelease {
    let directory: FilePath
    let releaseID: ReleaseID
    let mirror: MirrorDirectory
    let store: PackageStore
    let builder: ChrootBuilder
    let task: TaskID
    let catalog: DistributionCatalog
    /// Stands for `/` of the host, where a debugger for kernels may be installed.
    let host: FilePath

    init(in directory: FilePath, host: Architecture? = .x86_64) throws {
        self.directory = directory
        releaseID = try ReleaseID("debian-12-x86_64")
        let repositories = directory.appending("repositories")
        mirror = MirrorDirectory(releaseID, in: repositories)
        for path in [repositories, mirror.path, mirror.pool, mirror.solvables] {
            guard mkdir(path.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
        }
        store = PackageStore(directory: directory.appending("store"))
        var checkout = FilePath(#filePath)
        for _ in 0..<3 { checkout.removeLastComponent() }
        catalog = try DistributionCatalog(plugins: checkout.appending("plugins"), keys: checkout.appending("gpg"))
        self.host = directory.appending("host")
        builder = ChrootBuilder(
            repositories: repositories, store: store, catalog: catalog, host: host, hostRoot: self.host)
        task = try TaskID("123456789")
    }

    /// Runs `body` on a new release whose mirror has a gdb, and removes everything afterwards.
    static func with(
        host: Architecture? = .x86_64, debugger: Bool = true, _ body: (DebianRelease) async throws -> Void
    ) async throws {
        try await ScratchDirectory.with { directory async throws in
            let release = try DebianRelease(in: directory, host: host)
            if debugger { try await release.addDebugger() }
            try await body(release)
        }
    }

    /// A gdb and the libc that it depends on.
    func addDebugger() async throws {
        try await addGdb(version: "13.1-3")
        try await add(
            TestPackage(
                "libc6", "2.36-9",
                [
                    "lib/x86_64-linux-gnu/ld.so.2": .file(ELFBuilder(type: 3).build()),
                    "lib64/ld.so.2": .link("/lib/x86_64-linux-gnu/ld.so.2"),
                    "etc/relative": .link("../usr/bin/gdb"),
                ]))
    }

    /// A gdb that is an ELF header with a loader's name.
    func addGdb(version: String) async throws {
        var program = ELFBuilder(type: 3)
        program.segments = [ELFBuilder.Segment(type: 3, at: 0, content: Array("/lib64/ld.so.2\0".utf8))]
        try await add(
            TestPackage(
                "gdb", version, depends: "libc6",
                [
                    "usr/bin/gdb": .file(program.build()), "usr/share/gdb/syscalls/amd64.xml": .text("<x/>"),
                    "usr/lib/python3.11/os.py": .text("pass"),
                ]))
    }

    /// Builds the package with dpkg-deb, puts it into the mirror's pool and its stanza into the metadata.
    ///
    /// - Parameter other: A mirror of another release that gets it instead.
    @discardableResult
    func add(
        _ package: TestPackage, files: [String]? = nil, to other: MirrorDirectory? = nil
    ) async throws -> ResolvedPackage {
        let mirror = other ?? mirror
        let tree = directory.appending("build-\(package.name)-\(package.version)")
        let control = """
            Package: \(package.name)
            Version: \(package.version)
            Architecture: amd64
            Maintainer: nobody <nobody@example.org>
            Description: made in a test
            \(package.depends.map { "Depends: \($0)\n" } ?? "")
            """
        try write(Array((control.trimmingEnd + "\n").utf8), to: tree.appending("DEBIAN/control"))
        for (path, content) in package.content {
            let place = tree.pushing(FilePath(path))
            switch content {
            case .file(let bytes): try write(bytes, to: place)
            case .link(let target):
                try makeDirectories(place.removingLastComponent())
                guard symlink(target, place.string) == 0 else { throw Errno(rawValue: errno) }
            }
        }
        let location = "pool/\(package.name)_\(package.version)_amd64.deb"
        let file = mirror.path.pushing(FilePath(location))
        let result = try await runTool(
            ["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree.string, file.string])
        guard result.termination == .exited(0) else {
            throw BuildFailure(output: String(decoding: result.standardError, as: UTF8.self))
        }
        let sha256 = try packageDigest(of: file).sha256
        try append(control.trimmingEnd + "\nFilename: \(location)\nSHA256: \(sha256)\n\n", to: mirror.debianStanzas)
        return ResolvedPackage(
            nevra: try NEVRA(name: package.name, debianVersion: package.version, architecture: "amd64"),
            sha256: sha256, location: location, role: files == nil ? .binary : .debuginfo, files: files,
            releaseID: other?.releaseID)
    }

    /// The mirror of another release, beside the first.
    func neighbour(_ name: String = "debian-11-x86_64") throws -> MirrorDirectory {
        let other = MirrorDirectory(try ReleaseID(name), in: directory.appending("repositories"))
        for path in [other.path, other.pool, other.solvables] { try makeDirectories(path) }
        return other
    }

    func removePackageFile(of package: ResolvedPackage) throws {
        guard unlink(mirror.path.pushing(FilePath(package.location)).string) == 0 else { throw Errno(rawValue: errno) }
    }

    func resolution(_ packages: [ResolvedPackage], modules: [ResolvedModule] = []) -> Resolution {
        Resolution(
            releaseID: releaseID, releaseEvidence: "the test says so", modules: modules, packages: packages)
    }

    /// A module whose binary and debuginfo are at these paths of these packages.
    func module(
        _ path: String, binary: (ResolvedPackage, String)? = nil, debuginfo: (ResolvedPackage, String)? = nil
    ) -> ResolvedModule {
        ResolvedModule(
            module: LoadedModule(path: path, buildID: nil, start: 0x1000, end: 0x2000, kind: .library),
            status: .complete, binary: binary.map { PackagedFile(nevra: $0.0.nevra, path: $0.1) },
            debuginfo: debuginfo.map { PackagedFile(nevra: $0.0.nevra, path: $0.1) })
    }
}

/// What dpkg-deb said.
struct BuildFailure: Error {
    let output: String
}

/// A package that a test makes.
struct TestPackage {
    enum Content {
        case file([UInt8])
        case link(String)

        static func text(_ text: String) -> Content { .file(Array(text.utf8)) }
    }

    let name: String
    let version: String
    let depends: String?
    /// By path, without the slash at the beginning.
    let content: [String: Content]

    init(_ name: String, _ version: String, depends: String? = nil, _ content: [String: Content]) {
        self.name = name
        self.version = version
        self.depends = depends
        self.content = content
    }
}

extension String {
    fileprivate var trimmingEnd: String {
        var text = self[...]
        while text.last?.isWhitespace ?? false { text = text.dropLast() }
        return String(text)
    }
}
