import CrashModel
import SystemPackage
import Yams

extension RepositoryTemplate {
    private static let known = [
        "name", "suite", "components", "mirrors", "path", "debug", "optional", "gpgcheck", "keys", "versions",
    ]

    /// Reads one element of a plugin's `repositories`.
    init(_ node: Node, file: String, format: PackageFormat, keys folder: FilePath) throws(CatalogError) {
        let entry = try PluginMapping(node, file: file, path: "repositories", known: Self.known)
        name = try entry.text("name")
        suite = try entry.optionalText("suite")
        components = try entry.texts("components")
        path = try entry.optionalText("path")
        isDebug = try entry.flag("debug", default: false)
        isOptional = try entry.flag("optional", default: false)
        checksSignatures = try entry.flag("gpgcheck", default: true)
        keys = entry.has("keys") ? KeyFiles(folder: folder, names: try entry.texts("keys")) : nil
        versions = try entry.texts("versions")
        switch format {
        case .deb:
            guard suite != nil else { throw entry.error("suite", "a Debian archive is read suite by suite; name one") }
            guard !components.isEmpty else { throw entry.error("components", "name at least one, such as main") }
        case .rpm:
            guard suite == nil else { throw entry.error("suite", "RPM repositories have no suites") }
            guard components.isEmpty else { throw entry.error("components", "RPM repositories have no components") }
        }
        var mirrors: [Mirror] = []
        for node in try entry.nodes("mirrors") {
            mirrors.append(try Self.mirror(node, entry, format))
        }
        guard !mirrors.isEmpty else { throw entry.error("mirrors", "name at least one") }
        self.mirrors = mirrors
    }

    private static func mirror(
        _ node: Node, _ entry: PluginMapping, _ format: PackageFormat
    ) throws(CatalogError) -> Mirror {
        let text = node.string ?? ""
        if text == Mirror.hostAptSources.description {
            guard format == .deb else { throw entry.error("mirrors", "apt has no sources of RPMs", at: node) }
            return .hostAptSources
        }
        let schemes = ["http://", "https://", "file:///", "/"]
        guard schemes.contains(where: text.hasPrefix), !text.contains(" ") else {
            throw entry.error(
                "mirrors",
                "'\(text)' is no mirror; write a URL (http, https, file), an absolute path, or host-apt-sources",
                at: node)
        }
        return .address(text)
    }
}
