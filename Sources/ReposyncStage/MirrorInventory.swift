import CrashModel
import Packages
import SystemPackage

/// The packages that a mirror has: those whose stanzas are in its `solvables/Packages`.
struct MirrorInventory: Sendable {
    private(set) var locations: [String: String] = [:]
    private var digests: [String: String] = [:]
    private(set) var byteCount: UInt64 = 0

    /// Reads what an earlier synchronisation published. Blocking.
    init(_ mirror: MirrorDirectory) throws {
        do {
            try forEachStanza(in: mirror.debianStanzas) { view, _ in
                let fields = view.fields(["Filename", "SHA256", "Size"])
                guard let location = fields[0], let digest = fields[1] else { return }
                locations[digest.lowercased()] = location
                digests[location] = digest.lowercased()
                byteCount += fields[2].flatMap { UInt64($0) } ?? 0
            }
        } catch Errno.noSuchFileOrDirectory {
            return
        }
    }

    var packageCount: Int { locations.count }

    /// Gives each package its place and takes it: another package with the same path, of another repository for instance,
    /// gets another one from now on.
    mutating func place(_ packages: [ArchivePackage]) -> [PlacedPackage] {
        packages.map { package in
            let place = locations[package.sha256] ?? location(for: package)
            if digests[place] == nil { digests[place] = package.sha256 }
            return PlacedPackage(package: package, location: place)
        }
    }

    /// Where a package that is not there yet goes: to the archive's own place below `pool/`, or, when another package
    /// file has that place, to one named by its digest.
    func location(for package: ArchivePackage) -> String {
        let path = package.path.hasPrefix("pool/") ? package.path : "pool/\(package.path)"
        guard let other = digests[path], other != package.sha256 else { return path }
        return "pool/by-hash/\(package.sha256)/\(path.split(separator: "/").last ?? "package.deb")"
    }
}

/// Whether a file has this digest and size. Blocking.
func isFile(_ path: FilePath, sha256: String, byteCount: UInt64) throws -> Bool {
    guard fileSize(path) == byteCount else { return false }
    return try packageDigest(of: path).sha256 == sha256
}
