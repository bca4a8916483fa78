import CrashModel
import SystemPackage
import Yams

extension Distribution {
    /// Reads one plugin and tries its patterns on its own examples.
    ///
    /// - Parameter folder: The folder that its key files lie in; whether they are there is not asked.
    /// - Returns: nil, with the faults noted, when there are any.
    static func read(_ plugin: CompletedPlugin, keys folder: FilePath) -> Distribution? {
        let fields = plugin.fields
        let faults = fields.faults
        let before = faults.all.count
        // A distribution that is derived from another is called by its own name unless it says more.
        let derivedName = plugin.parentsRecognise.isEmpty ? nil : try? fields.text("distribution")
        let name = faults.attempt { () throws(CatalogError) in try Self.name(fields) }
        let displayName = faults.attempt { () throws(CatalogError) in
            if let derivedName, !fields.has("display-name") { return derivedName }
            return try fields.text("display-name")
        }
        let displayRelease = faults.attempt { () throws(CatalogError) in try fields.optionalText("display-release") }
        let isEnabled = faults.attempt { () throws(CatalogError) in try fields.flag("enabled", default: true) }
        let format = faults.attempt { () throws(CatalogError) in try fields.word("package-format", PackageFormat.self) }
        let mode = faults.attempt { () throws(CatalogError) in
            fields.has("mirror") ? try fields.word("mirror", MirrorMode.self) : .full
        }
        let versions = faults.attempt { () throws(CatalogError) in try Self.versions(fields) }
        let architectures = faults.attempt { () throws(CatalogError) in try Self.architectures(fields) }
        let debugger = faults.attempt { () throws(CatalogError) in try Self.debugger(fields, "debugger") }
        let kernelDebugger = faults.attempt { () throws(CatalogError) in
            fields.has("kernel-debugger") ? try Self.debugger(fields, "kernel-debugger", mayBeHosts: true) : nil
        }
        let kernel = faults.attempt { () throws(CatalogError) -> KernelPackaging? in
            guard let format, fields.has("kernel") else { return nil }
            return try KernelPackaging(fields.mapping("kernel", known: KernelPackaging.known), format: format)
        }
        let keys = faults.attempt { () throws(CatalogError) in
            KeyFiles(folder: folder, names: try fields.fileNames("keys"))
        }
        guard let name, let displayName, let displayRelease, let isEnabled, let format, let mode, let versions,
            let architectures, let debugger, let kernelDebugger, let kernel, let keys
        else { return nil }
        let recognition = faults.attempt { () throws(CatalogError) in
            try ReleaseRecognition(plugin, distribution: name, displayName: displayName, versions: versions)
        }
        let templates = plugin.repositories.compactMap { repository in
            faults.attempt { () throws(CatalogError) in
                try RepositoryTemplate(
                    repository, format: format, keys: folder, defaultKeys: keys, mode: mode, versions: versions,
                    listedIn: fields.file(of: "versions"))
            }
        }
        guard faults.all.count == before, let recognition else { return nil }
        return Distribution(
            name: name, displayName: displayName, displayRelease: displayRelease ?? displayName, packageFormat: format,
            versions: versions, architectures: architectures.map(\.architecture), debugger: debugger,
            kernelDebugger: kernelDebugger, kernel: kernel, isEnabled: isEnabled, files: plugin.files,
            repositoryTemplates: templates, keys: keys,
            directoryNames: Dictionary(architectures.map { ($0.architecture, $0.directory) }) { first, _ in first },
            recognition: recognition)
    }

    private static func name(_ fields: PluginMapping) throws(CatalogError) -> String {
        let name = try fields.text("distribution")
        guard (try? Release(distribution: name, version: "1")) != nil, !name.contains(where: \.isUppercase) else {
            throw fields.error("distribution", "'\(name)' is no name for release ids; write it like debian")
        }
        return name
    }

    private static func versions(_ fields: PluginMapping) throws(CatalogError) -> [DistributionVersion] {
        var versions: [DistributionVersion] = []
        for node in try fields.nodes("versions") {
            var version = DistributionVersion(version: node.string ?? "", codename: nil)
            if node.mapping != nil {
                let entry = try PluginMapping(
                    node, file: fields.file(of: "versions"), path: "versions", known: ["version", "codename"],
                    faults: fields.faults)
                version = DistributionVersion(
                    version: try entry.text("version"), codename: try entry.optionalText("codename"))
            }
            do {
                _ = try Release(distribution: "any", version: version.version)
            } catch {
                throw fields.error("versions", "'\(version.version)' is no version of a release", at: node)
            }
            guard !versions.contains(where: { $0.version == version.version }) else {
                throw fields.error("versions", "\(version.version) stands there twice", at: node)
            }
            versions.append(version)
        }
        guard !versions.isEmpty else { throw fields.error("versions", "at least one version must be listed") }
        return versions
    }

    /// Each as a name, or as a name with what stands for it in the mirrors' paths: `i386: i586`.
    private static func architectures(
        _ fields: PluginMapping
    ) throws(CatalogError) -> [(architecture: Architecture, directory: String?)] {
        var architectures: [(architecture: Architecture, directory: String?)] = []
        for node in try fields.nodes("architectures") {
            let pair = node.mapping?.first
            let directory = pair?.value.string
            do {
                architectures.append((try Architecture((pair?.key ?? node).string ?? ""), directory))
            } catch {
                throw fields.error("architectures", "\(error)", at: node)
            }
            let isPath = directory?.contains { $0 == "/" || $0.isWhitespace } == true
            guard node.mapping == nil || node.mapping?.count == 1 && directory != nil && !isPath else {
                throw fields.error(
                    "architectures", "write a name, or a pair with the name in the mirrors' paths: i386: i586",
                    at: node)
            }
        }
        guard !architectures.isEmpty else {
            throw fields.error("architectures", "at least one architecture must be listed")
        }
        return architectures
    }

    /// - Parameter mayBeHosts: Whether `host: true` may stand there, and then no `package`.
    private static func debugger(
        _ fields: PluginMapping, _ key: String, mayBeHosts: Bool = false
    ) throws(CatalogError) -> DebuggerPackage {
        let entry = try fields.mapping(key, known: ["package", "executable"] + (mayBeHosts ? ["host"] : []))
        let executable = try entry.text("executable")
        guard executable.hasPrefix("/"), !executable.split(separator: "/").contains("..") else {
            throw entry.error(
                "executable", "'\(executable)' must be an absolute path", at: try entry.node("executable"))
        }
        guard try entry.flag("host", default: false) else {
            return DebuggerPackage(package: try entry.text("package"), executable: executable)
        }
        let name = executable.split(separator: "/").last.map(String.init) ?? executable
        return DebuggerPackage(
            package: try entry.optionalText("package") ?? name, executable: executable, isHost: true)
    }
}
