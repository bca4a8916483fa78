package import CrashModel

/// What a client asks of `/checkpackage`: is this package known?
package struct PackageQuestion: Hashable, Sendable {
    /// `name-[epoch:]version[-release]`, as ABRT's element `package` has it.
    package let package: String
    /// Any word; one that no machine here has is in no mirror, so that the package is unknown.
    package let architecture: String
    /// As the client builds it from os-release(5), so that it may have spaces; nil asks all releases.
    package let releaseID: String?

    package init(package: String, architecture: String, releaseID: String?) {
        self.package = package
        self.architecture = architecture
        self.releaseID = releaseID
    }

    /// Whether this is the package that is asked for: its name, version, release and architecture, and its epoch where
    /// the client gives one. Packages for every architecture (`noarch`, `all`) fit each that there is, and their own name.
    package func isAbout(_ nevra: NEVRA) -> Bool {
        guard fits(nevra.architecture) else { return false }
        return readings.contains { reading in
            reading.name == nevra.name && reading.version == nevra.version && reading.release == nevra.release
                && (reading.epoch == nil || reading.epoch == nevra.epoch)
        }
    }

    private func fits(_ other: String) -> Bool {
        guard let asked = try? Architecture(architecture) else { return other == architecture }
        return ["noarch", "all"].contains(other) || (try? Architecture(other)) == asked
    }

    /// The names that the package can have: a dash may stand within a name, and within Debian's versions.
    package var names: Set<String> { Set(readings.map(\.name)) }

    private struct Reading {
        let name: String
        let epoch: Int?
        let version: String
        let release: String
    }

    private var readings: [Reading] {
        let dashes = package.indices.filter { package[$0] == "-" }
        return dashes.suffix(8).compactMap { dash in
            let name = package[..<dash]
            var rest = package[package.index(after: dash)...]
            var epoch: Int?
            if let colon = rest.firstIndex(of: ":") {
                guard let number = Int(rest[..<colon]) else { return nil }
                epoch = number
                rest = rest[rest.index(after: colon)...]
            }
            let split = rest.lastIndex(of: "-")
            let version = rest[..<(split ?? rest.endIndex)]
            guard !name.isEmpty, !version.isEmpty else { return nil }
            return Reading(
                name: String(name), epoch: epoch, version: String(version),
                release: split.map { String(rest[rest.index(after: $0)...]) } ?? "")
        }
    }
}
