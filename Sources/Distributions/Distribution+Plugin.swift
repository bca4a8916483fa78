import CrashModel
package import SystemPackage
import Yams

extension Distribution {
    private static let known = [
        "distribution", "display-name", "display-release", "enabled", "package-format", "versions", "architectures",
        "recognise", "debugger", "keys", "repositories",
    ]

    /// Reads one plugin and tries its patterns on its own examples.
    ///
    /// - Parameters:
    ///   - plugin: The text of the file.
    ///   - file: Its name, for errors.
    ///   - keys: The folder that its key files lie in.
    package init(plugin: String, file: String, keys folder: FilePath) throws(CatalogError) {
        let fields = try PluginMapping(try parsePlugin(plugin, file: file), file: file, known: Self.known)
        name = try fields.text("distribution")
        displayName = try fields.text("display-name")
        displayRelease = try fields.optionalText("display-release") ?? displayName
        isEnabled = try fields.flag("enabled", default: true)
        let formatName = try fields.text("package-format")
        guard let format = PackageFormat(rawValue: formatName) else {
            throw fields.error(
                "package-format", "'\(formatName)' is neither deb nor rpm", at: try fields.node("package-format"))
        }
        packageFormat = format
        versions = try Self.versions(fields, distribution: name)
        architectures = try Self.architectures(fields)
        debugger = try Self.debugger(fields)
        self.keys = KeyFiles(folder: folder, names: try fields.texts("keys"))
        recognition = try ReleaseRecognition(fields, versions: versions)
        var templates: [RepositoryTemplate] = []
        for node in try fields.nodes("repositories") {
            templates.append(try RepositoryTemplate(node, file: file, format: format, keys: folder))
        }
        repositoryTemplates = templates
        try checkKeys(fields)
    }

    private static func versions(
        _ fields: PluginMapping, distribution: String
    ) throws(CatalogError) -> [DistributionVersion] {
        var versions: [DistributionVersion] = []
        for node in try fields.nodes("versions") {
            var version = DistributionVersion(version: node.string ?? "", codename: nil)
            if node.mapping != nil {
                let entry = try PluginMapping(
                    node, file: fields.file, path: "versions", known: ["version", "codename"])
                version = DistributionVersion(
                    version: try entry.text("version"), codename: try entry.optionalText("codename"))
            }
            do {
                _ = try Release(distribution: distribution, version: version.version)
            } catch {
                throw fields.error("versions", "\(error)", at: node)
            }
            versions.append(version)
        }
        guard !versions.isEmpty else { throw fields.error("versions", "at least one version must be listed") }
        return versions
    }

    private static func architectures(_ fields: PluginMapping) throws(CatalogError) -> [Architecture] {
        var architectures: [Architecture] = []
        for node in try fields.nodes("architectures") {
            do {
                architectures.append(try Architecture(node.string ?? ""))
            } catch {
                throw fields.error("architectures", "\(error)", at: node)
            }
        }
        guard !architectures.isEmpty else {
            throw fields.error("architectures", "at least one architecture must be listed")
        }
        return architectures
    }

    private static func debugger(_ fields: PluginMapping) throws(CatalogError) -> DebuggerPackage {
        let entry = try PluginMapping(
            try fields.node("debugger"), file: fields.file, path: "debugger", known: ["package", "executable"])
        let executable = try entry.text("executable")
        guard executable.hasPrefix("/") else {
            throw entry.error(
                "executable", "'\(executable)' must be an absolute path", at: try entry.node("executable"))
        }
        return DebuggerPackage(package: try entry.text("package"), executable: executable)
    }

    /// Every key file of every listed release is there; a distribution that is not enabled needs none.
    private func checkKeys(_ fields: PluginMapping) throws(CatalogError) {
        guard isEnabled else { return }
        guard let architecture = architectures.first else { return }
        for version in versions {
            let words = TemplateWords(version: version, architecture: architecture, format: packageFormat)
            let missing = keys.paths(words).first { !isReadable($0) }
            if let missing {
                throw fields.error(
                    "keys",
                    "the key file \(missing) of release \(version.version) cannot be read; gpg/README.md says where "
                        + "keys come from, and 'enabled: false' keeps a distribution out until its keys are there",
                    at: try fields.node("keys"))
            }
            for template in repositoryTemplates {
                let own = template.keys?.paths(words) ?? []
                if let missing = own.first(where: { !isReadable($0) }) {
                    throw fields.error("repositories", "\(template.name): the key file \(missing) cannot be read")
                }
                if own.isEmpty, keys.names.isEmpty, template.checksSignatures {
                    throw fields.error("repositories", "\(template.name): no key is named that may sign it")
                }
            }
        }
    }
}

private func isReadable(_ path: FilePath) -> Bool {
    guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return false }
    return (try? file.close()) != nil
}
