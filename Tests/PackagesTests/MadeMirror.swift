import CrashModel
import Packages
import SystemPackage
import TestFixtures

/// A mirror of debian-12-x86_64 in a directory of a test, filled with made packages.
struct MadeMirror {
    let mirror: MirrorDirectory

    init(in directory: FilePath) throws {
        mirror = MirrorDirectory(try ReleaseID("debian-12-x86_64"), in: directory)
        for path in [mirror.path, mirror.pool] {
            try makeDirectory(path)
        }
    }

    /// Writes the package into the pool and reads it back as a synchronisation does.
    func add(_ made: MadeDebianPackage, as name: String) throws -> (package: IndexedPackage, paths: [IndexedPath]) {
        let file = try made.write(to: mirror.pool, as: name)
        return try read(file, location: "pool/\(name)")
    }

    func read(_ file: FilePath, location: String) throws -> (package: IndexedPackage, paths: [IndexedPath]) {
        let digest = try packageDigest(of: file)
        let package = try IndexedPackage(
            debianControl: try controlStanza(of: file), sha256: digest.sha256, location: location,
            byteCount: digest.byteCount)
        return (package, try scanPackage(file).paths)
    }

    func publish(_ packages: [(package: IndexedPackage, paths: [IndexedPath])]) throws {
        let builder = try PackageIndexBuilder(for: mirror)
        for (package, paths) in packages { try builder.add(package, files: paths) }
        _ = try builder.publish()
    }

    /// Publishes an index of invented packages, each with one library of its own and a debug file for it.
    func publishInvented(count: Int) throws {
        let builder = try PackageIndexBuilder(for: mirror)
        for number in 0..<count {
            let (package, paths) = try invented(number)
            try builder.add(package, files: paths)
        }
        _ = try builder.publish()
    }

    func invented(_ number: Int, version: String = "1.0-1") throws -> (IndexedPackage, [IndexedPath]) {
        let buildID = try inventedBuildID(number)
        let digits = String(number, radix: 16)
        let package = IndexedPackage(
            nevra: try NEVRA(name: "lib\(number)", debianVersion: version, architecture: "amd64"),
            sha256: String(repeating: "0", count: 64 - digits.count) + digits, location: "pool/lib\(number).deb",
            byteCount: 1000, kind: .binary, source: SourcePackage(name: "source\(number / 3)", version: version))
        return (
            package,
            [
                IndexedPath(path: "/lib/x86_64-linux-gnu/lib\(number).so.1", kind: .binary, buildID: buildID),
                IndexedPath(path: buildID.debugPath, kind: .debug, buildID: buildID),
            ]
        )
    }
}

func inventedBuildID(_ number: Int) throws -> BuildID {
    // Spread as hashes are, so that neighbours in the order of insertion are no neighbours in the table.
    let spread = UInt64(number + 1) &* 0x9e37_79b9_7f4a_7c15
    return try BuildID(bytes: (0..<20).map { UInt8(truncatingIfNeeded: spread >> (8 * UInt64($0 % 8))) })
}
