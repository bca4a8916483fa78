import CrashModel
import SystemPackage
import Yams

extension RepositoryTemplate {
    static let known = [
        "name", "suite", "components", "mirrors", "path", "debug", "optional", "gpgcheck", "keys", "versions",
        "architectures", "mirror", "keep", "rate-limit", "remove",
    ]

    /// Reads one element of a plugin's `repositories`.
    init(
        _ repository: PluginRepository, format: PackageFormat, keys folder: FilePath, defaultKeys: KeyFiles,
        mode preset: MirrorMode, versions known: [DistributionVersion],
        listedIn file: String
    ) throws(CatalogError) {
        let entry = repository.fields
        name = repository.name
        guard Self.isName(name) else {
            throw entry.error("name", "'\(name)' may have letters, digits, dots, dashes and underscores only")
        }
        suite = try entry.optionalText("suite")
        components = try entry.texts("components")
        path = try entry.optionalText("path")
        isDebug = try entry.flag("debug", default: false)
        isOptional = try entry.flag("optional", default: false)
        checksSignatures = try entry.flag("gpgcheck", default: true)
        keys = entry.has("keys") ? KeyFiles(folder: folder, names: try entry.fileNames("keys")) : nil
        versions = try entry.texts("versions")
        architectures = try Self.architectures(entry)
        mode = entry.has("mirror") ? try entry.word("mirror", MirrorMode.self) : preset
        keptVersions = try Self.keptVersions(entry)
        bytesPerSecond = try Self.bytesPerSecond(entry)
        switch format {
        case .deb:
            guard suite != nil else { throw entry.error("suite", "a Debian archive is read suite by suite; name one") }
            guard !components.isEmpty else { throw entry.error("components", "name at least one, such as main") }
        case .rpm:
            guard suite == nil else { throw entry.error("suite", "RPM repositories have no suites") }
            guard components.isEmpty else { throw entry.error("components", "RPM repositories have no components") }
        }
        // A plugin may list fewer versions than the one that it took this repository over from.
        let stranger = versions.first { version in !known.contains { $0.version == version } }
        if let stranger, entry.file(of: "versions") == file {
            throw entry.error(
                "versions",
                "the plugin lists no version \(stranger), but \(known.map(\.version).joined(separator: ", "))")
        }
        if checksSignatures, (keys ?? defaultKeys).names.isEmpty {
            throw entry.error(
                "keys", "\(name): no key is named that may sign it; name one here or for all of the plugin")
        }
        var mirrors: [Mirror] = []
        for node in try entry.nodes("mirrors") {
            mirrors.append(try Self.mirror(node, entry, format))
        }
        guard !mirrors.isEmpty else { throw entry.error("mirrors", "name at least one") }
        self.mirrors = mirrors
    }

    private static func isName(_ text: String) -> Bool {
        text.utf8.count <= 64 && text.first != "." && text.first != "-"
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }

    private static func architectures(_ entry: PluginMapping) throws(CatalogError) -> [Architecture] {
        var all: [Architecture] = []
        for name in try entry.texts("architectures") {
            do {
                all.append(try Architecture(name))
            } catch {
                throw entry.error("architectures", "\(error)")
            }
        }
        return all
    }

    private static func keptVersions(_ entry: PluginMapping) throws(CatalogError) -> Int? {
        guard let text = try entry.optionalText("keep") else { return nil }
        guard let number = Int(text), (1...1000).contains(number) else {
            throw entry.error("keep", "'\(text)' is no number of versions; write one from 1 to 1000, or leave it out")
        }
        return number
    }

    /// `5 MiB`, `500 kB` or plain bytes, each a second.
    private static func bytesPerSecond(_ entry: PluginMapping) throws(CatalogError) -> UInt64? {
        guard let text = try entry.optionalText("rate-limit") else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        let factors: [String: UInt64] = [
            "": 1, "B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20,
            "GiB": 1 << 30,
        ]
        let factor = factors[String(unit.hasSuffix("/s") ? unit.dropLast(2) : unit)]
        guard let number = UInt64(digits), number > 0, let factor,
            case let (product, overflow) = number.multipliedReportingOverflow(by: factor), !overflow
        else {
            throw entry.error(
                "rate-limit", "'\(text)' is no limit; write bytes a second like 5 MiB, 500 kB or 1000000")
        }
        return product
    }
}
