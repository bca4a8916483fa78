package import SystemPackage

/// All that can be said of a folder of plugins, faults included.
package struct PluginSurvey: Sendable {
    /// Those without a fault, in the order of the plugins' file names.
    package let distributions: [Distribution]
    /// Every fault of every file, each once: parents before the plugins that inherit from them.
    package let faults: [CatalogError]
    /// The key files of the distributions that are not there.
    package let missingKeys: [MissingKey]

    /// A key file that is not there or not readable.
    package struct MissingKey: Hashable, Sendable {
        package let distribution: String
        /// The releases whose packages it may sign.
        package let versions: [String]
        package let file: KeyFile
        /// Whether services refuse to start without it, as they do when the distribution is enabled.
        package let isNeeded: Bool
        package let fault: CatalogError
    }

    /// Reads every `*.yaml` of a folder; blocking.
    package init(plugins: FilePath, keys: FilePath) {
        let faults = PluginFaults()
        let names = faults.attempt { () throws(CatalogError) in try pluginNames(in: plugins) }
        let files = (names ?? []).compactMap { name in
            faults.attempt { () throws(CatalogError) in
                try PluginFile(try readPlugin(plugins.appending(name)), name: name, faults: faults)
            }
        }
        let read = PluginFamily(files, faults: faults).completed()
            .compactMap { plugin in Distribution.read(plugin, keys: keys).map { ($0, plugin.fields) } }
        if read.isEmpty, faults.all.isEmpty {
            faults.note(CatalogError(file: plugins.string, reason: "there is no plugin (*.yaml) in this folder"))
        }
        distributions = read.map(\.0)
        // What a plugin inherits is read again for each that inherits it.
        var seen: Set<CatalogError> = []
        self.faults = faults.all.filter { seen.insert($0).inserted }
        missingKeys = read.flatMap { Self.missingKeys(of: $0, $1) }
    }

    private static func missingKeys(of distribution: Distribution, _ fields: PluginMapping) -> [MissingKey] {
        var versions: [KeyFile: [String]] = [:]
        var order: [KeyFile] = []
        for version in distribution.versions {
            for file in distribution.keyFiles(of: version) where versions[file] != nil || !file.isReadable {
                if versions[file] == nil { order.append(file) }
                versions[file, default: []].append(version.version)
            }
        }
        return order.map { file in
            let releases = versions[file] ?? []
            let fault = fields.error(
                "keys",
                "the key file \(file.name) of release \(releases.joined(separator: ", ")) cannot be read; gpg/README.md "
                    + "says where keys come from, and 'enabled: false' keeps a distribution out until its keys are there",
                at: fields.has("keys") ? try? fields.node("keys") : nil)
            return MissingKey(
                distribution: distribution.name, versions: releases, file: file, isNeeded: distribution.isEnabled,
                fault: fault)
        }
    }
}
