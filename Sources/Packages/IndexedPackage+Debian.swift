package import CrashModel

extension IndexedPackage {
    /// Reads the identity of a `.deb` from its control stanza (deb-control(5)).
    ///
    /// A package of section `debug`, or whose name ends as debug packages do, is debuginfo.
    ///
    /// - Throws: ``CrashModel/InvalidValue`` when `Package`, `Version` or `Architecture` is missing or malformed.
    package init(
        debianControl stanza: String, sha256: String, location: String, byteCount: UInt64
    ) throws(InvalidValue) {
        let fields = Self.fields(of: stanza)
        guard let name = fields["package"], let version = fields["version"], let architecture = fields["architecture"]
        else {
            throw InvalidValue(
                noun: "control stanza", text: stanza, expected: "it has Package, Version and Architecture")
        }
        let section = fields["section"]?.split(separator: "/").last
        self.init(
            nevra: try NEVRA(name: name, debianVersion: version, architecture: architecture), sha256: sha256,
            location: location, byteCount: byteCount,
            kind: section == "debug" ? .debuginfo : PackageKind(packageName: name),
            source: Self.source(fields["source"], name: name, version: version))
    }

    /// `Source: flowgrind (0.8.2-2)`; without the field, or without the version, the package's own stands.
    private static func source(_ field: String?, name: String, version: String) -> SourcePackage {
        guard let field else { return SourcePackage(name: name, version: version) }
        let parts = field.split(separator: " ", maxSplits: 1)
        let sourceVersion = parts.dropFirst().first.map { $0.drop { $0 == "(" }.prefix { $0 != ")" } }
        return SourcePackage(
            name: parts.first.map(String.init) ?? name, version: sourceVersion.map(String.init) ?? version)
    }

    private static func fields(of stanza: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in stanza.split(separator: "\n") where line.first != " " && line.first != "\t" {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields[line[..<colon].lowercased()] = String(value.prefix { $0 != "\r" })
        }
        return fields
    }
}
