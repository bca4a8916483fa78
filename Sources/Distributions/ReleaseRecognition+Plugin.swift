import CrashModel
import Yams

extension ReleaseRecognition {
    static let known = ["release-text", "os-release", "package", "package-shared", "examples"]

    private static let kinds = ["release", "os-release", "package", "package-shared", "client"]

    /// Reads a plugin's `recognise` and checks that its examples give the versions that they say.
    ///
    /// A distribution that is derived from another is recognised by its own names where it does not say how: `ID=` is
    /// its name, and a release text starts with its display name.
    init(
        _ plugin: CompletedPlugin, distribution: String, displayName: String, versions: [DistributionVersion]
    ) throws(CatalogError) {
        self.distribution = distribution
        self.versions = versions
        let isDerived = !plugin.parentsRecognise.isEmpty
        guard let entry = plugin.recognise else {
            guard isDerived else { throw plugin.fields.error("recognise", "this key is missing") }
            ids = [distribution]
            versionPattern = try Self.versionPattern(plugin)
            releasePatterns = try Self.releasePatterns(displayName, plugin)
            packagePatterns = []
            sharedPatterns = []
            return
        }
        let faults = entry.faults
        let file =
            isDerived && !entry.has("os-release")
            ? nil : try entry.mapping("os-release", known: ["id", "version"])
        ids = isDerived && file?.has("id") != true ? [distribution] : try file?.texts("id") ?? []
        versionPattern =
            if let file, file.has("version") || !isDerived {
                try Self.pattern(try file.node("version"), file, "version")
            } else {
                try Self.versionPattern(plugin)
            }
        releasePatterns =
            isDerived && !entry.has("release-text")
            ? try Self.releasePatterns(displayName, plugin) : try Self.patterns(entry, "release-text")
        packagePatterns = isDerived && !entry.has("package") ? [] : try Self.patterns(entry, "package")
        sharedPatterns = entry.has("package-shared") ? try Self.patterns(entry, "package-shared") : []
        if ids.isEmpty, let file {
            throw file.error("id", "name at least one value of ID= in os-release(5)")
        }
        guard !isDerived || entry.has("examples") else { return }
        let examples = try entry.mapping("examples", known: Self.kinds)
        for kind in Self.kinds {
            for (text, version, node) in try examples.pairs(kind) {
                // A plugin that lists fewer versions than its parent need not repeat the parent's examples.
                let isLeftOut = version.allSatisfy(\.isLetter) && !versions.contains { $0.version == version }
                if isLeftOut, version != "none", entry.file(of: "examples") != plugin.fields.file(of: "versions") {
                    continue
                }
                _ = faults.attempt { () throws(CatalogError) in
                    try check(text, gives: version, as: kind, examples, at: node)
                }
            }
        }
    }

    private func check(
        _ text: String, gives version: String, as kind: String, _ examples: PluginMapping, at node: Node
    ) throws(CatalogError) {
        let found =
            switch kind {
            case "package": self.version(inPackage: text)
            case "package-shared": self.version(inSharedMarkOf: text)
            case "client": ClientReleaseID(text).flatMap { self.version(ofProduct: $0.product, version: $0.version) }
            default: self.version(inRelease: text)
            }
        // `none` stands for strings that must not be taken for this distribution.
        guard found ?? "none" == version else {
            throw examples.error(
                kind,
                "the example '\(text.prefix(80))' must give \(version), but the patterns give " + (found ?? "nothing"),
                at: node)
        }
    }

    /// How the nearest parent reads `VERSION_ID=`.
    private static func versionPattern(_ plugin: CompletedPlugin) throws(CatalogError) -> ReleasePattern {
        for parent in plugin.parentsRecognise where parent.has("os-release") {
            let file = try parent.mapping("os-release", known: ["id", "version"])
            if file.has("version") { return try pattern(try file.node("version"), file, "version") }
        }
        throw plugin.fields.error("recognise", "no parent says how VERSION_ID= is read")
    }

    private static func releasePatterns(
        _ displayName: String, _ plugin: CompletedPlugin
    ) throws(CatalogError) -> [ReleasePattern] {
        let literal = displayName.map { $0.isLetter || $0.isNumber || $0 == " " ? "\($0)" : "\\\($0)" }.joined()
        do {
            return [try ReleasePattern("^\(literal)(?: Linux)?(?: release)? ([0-9]+)(?:\\.[0-9]+)*(?: |$)")]
        } catch {
            throw plugin.fields.error("display-name", "no pattern can be made of it; write 'recognise' (\(error))")
        }
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
}
