package import SystemPackage

extension Distribution {
    /// The files of public keys that the repositories of a release must be signed with, each once, in the plugin's order.
    package func keyFiles(of version: DistributionVersion) -> [KeyFile] {
        guard let architecture = architectures.first else { return [] }
        let words = words(version, architecture)
        var files: [KeyFile] = []
        for template in repositoryTemplates
        where template.checksSignatures && architectures.contains(where: { template.has(version, $0) }) {
            let keys = template.keys ?? keys
            for name in keys.names.map(words.fill) where !files.contains(where: { $0.name == name }) {
                files.append(KeyFile(name: name, path: keys.folder.appending(name)))
            }
        }
        return files
    }
}

/// A file of armoured public keys.
package struct KeyFile: Hashable, Sendable {
    /// Below the folder of keys: `fedora/40-primary.asc`.
    package let name: String
    package let path: FilePath

    /// Whether it is there and can be opened; blocking.
    package var isReadable: Bool {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return false }
        return (try? file.close()) != nil
    }
}

/// Public keys below the `gpg` folder, as a plugin names them; `$VER` stands for the release.
struct KeyFiles: Hashable, Sendable {
    let folder: FilePath
    let names: [String]

    func paths(_ words: TemplateWords) -> [FilePath] { names.map { folder.appending(words.fill($0)) } }
}
