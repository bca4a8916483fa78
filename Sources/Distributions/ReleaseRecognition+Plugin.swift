import CrashModel
import Yams

extension ReleaseRecognition {
    private static let known = ["release-text", "os-release", "package", "examples"]

    /// Reads a plugin's `recognise` and checks that its examples give the versions that they say.
    init(_ fields: PluginMapping, versions: [DistributionVersion]) throws(CatalogError) {
        let entry = try PluginMapping(
            try fields.node("recognise"), file: fields.file, path: "recognise", known: Self.known)
        let file = try PluginMapping(
            try entry.node("os-release"), file: fields.file, path: "recognise.os-release", known: ["id", "version"])
        ids = try file.texts("id")
        versionPattern = try Self.pattern(try file.node("version"), file, "version")
        releasePatterns = try Self.patterns(entry, "release-text")
        packagePatterns = try Self.patterns(entry, "package")
        self.versions = versions
        guard !ids.isEmpty else { throw file.error("id", "name at least one value of ID= in os-release(5)") }
        try check(try entry.node("examples"), file: fields.file)
    }

    private static func patterns(_ entry: PluginMapping, _ key: String) throws(CatalogError) -> [ReleasePattern] {
        var patterns: [ReleasePattern] = []
        for node in try entry.nodes(key) { patterns.append(try pattern(node, entry, key)) }
        guard !patterns.isEmpty else { throw entry.error(key, "name at least one pattern") }
        return patterns
    }

    private static func pattern(
        _ node: Node, _ entry: PluginMapping, _ key: String
    ) throws(CatalogError) -> ReleasePattern {
        do {
            return try ReleasePattern(node.string ?? "")
        } catch {
            throw entry.error(key, "'\(node.string ?? "")' is no pattern that can be used: \(error)", at: node)
        }
    }

    private func check(_ node: Node, file: String) throws(CatalogError) {
        let kinds = ["release", "os-release", "package"]
        let examples = try PluginMapping(node, file: file, path: "recognise.examples", known: kinds)
        for kind in kinds {
            for (text, version, node) in try examples.pairs(kind) {
                let found = kind == "package" ? self.version(inPackage: text) : self.version(inRelease: text)
                // `none` stands for strings that must not be taken for this distribution.
                guard found ?? "none" == version else {
                    throw examples.error(
                        kind,
                        "the example '\(text.prefix(80))' must give \(version), but the patterns give "
                            + (found ?? "nothing"), at: node)
                }
            }
        }
    }
}
