import CrashModel
import SystemPackage

/// A package that an archive offers.
struct ArchivePackage: Hashable, Sendable {
    let name: String
    let version: String
    let architecture: String
    /// `Filename`, relative to the archive.
    let path: String
    /// Lower-case hex.
    let sha256: String
    let byteCount: UInt64
    /// For a package of debug symbols, the packages whose symbols they are: `name=version`.
    let debugs: [String]
    /// The source package and its version, as `name=version`.
    let source: String
    let stanza: StanzaPlace
    /// The number of the repository that offers it.
    let repository: Int

    var key: String { "\(name)=\(version)" }

    /// Reads a stanza.
    ///
    /// - Throws: ``CrashModel/StageError`` with `metadataRefused` when a field is missing or malformed, or when the path
    ///   would leave the mirror.
    init(_ view: StanzaView, at place: StanzaPlace, repository: Int) throws {
        let fields = view.fields([
            "Package", "Version", "Architecture", "Filename", "SHA256", "Size", "Build-Ids", "Depends", "Source",
        ])
        guard let name = fields[0], let version = fields[1], let architecture = fields[2], let path = fields[3],
            let digest = fields[4], let byteCount = fields[5].flatMap({ UInt64($0) })
        else {
            throw StageError.sync(
                .metadataRefused,
                "A package in the list lacks Package, Version, Architecture, Filename, Size or SHA256: "
                    + "'\(view.text.prefix(80).filter { !$0.isNewline })'.")
        }
        guard isPlainPath(path), path.hasSuffix(".deb") || path.hasSuffix(".ddeb") || path.hasSuffix(".udeb") else {
            throw StageError.sync(
                .metadataRefused,
                "The file name of package '\(name.prefix(80))' would leave the mirror: it is refused.",
                advice: "No honest archive has such a name: look at who signed it.")
        }
        guard isSHA256(digest) else {
            throw StageError.sync(.metadataRefused, "Package '\(name.prefix(80))' has no usable SHA-256.")
        }
        self.name = name
        self.version = version
        self.architecture = architecture
        self.path = path
        sha256 = digest.lowercased()
        self.byteCount = byteCount
        debugs = fields[6] == nil ? [] : Self.exactDependencies(fields[7] ?? "")
        source = Self.source(fields[8], name: name, version: version)
        stanza = place
        self.repository = repository
    }

    /// Whether it has debug symbols of one of these packages or of what was built with them.
    ///
    /// A `-dbg` package made by hand may depend on one package of its source and have the symbols of all, as
    /// `liblua5.4-0-dbg` has those of `lua5.4`; the automatic `-dbgsym` packages are exact.
    func debugs(any keys: Set<String>, of sources: Set<String>) -> Bool {
        if debugs.contains(where: keys.contains) { return true }
        return !debugs.isEmpty && !name.hasSuffix("-dbgsym") && sources.contains(source)
    }

    /// `Source: lua5.4 (5.4.4-3)`; without the field, or without the version, the package's own stands.
    private static func source(_ field: String?, name: String, version: String) -> String {
        let words = (field ?? "").split { " ()".contains($0) }
        return "\(words.first.map(String.init) ?? name)=\(words.count > 1 ? String(words[1]) : version)"
    }

    /// The `name (= version)` of a `Depends` field as `name=version`.
    static func exactDependencies(_ field: String) -> [String] {
        field.split { $0 == "," || $0 == "|" }.compactMap { dependency in
            let words = dependency.split(whereSeparator: { $0.isWhitespace || $0 == "(" || $0 == ")" })
            guard words.count == 3, words[1] == "=", let name = words[0].split(separator: ":").first else { return nil }
            return "\(name)=\(words[2])"
        }
    }
}
