/// One file of the plugins' folder, read but not yet completed by what it inherits.
struct PluginFile {
    static let known = [
        "distribution", "inherits", "display-name", "display-release", "enabled", "package-format", "versions",
        "architectures", "recognise", "debugger", "kernel-debugger", "kernel", "keys", "mirror", "repositories",
    ]

    let name: String
    let fields: PluginMapping
    let recognise: PluginMapping?
    let repositories: [PluginRepository]
    /// The name that it describes a distribution under; nil for a file that only adds to another's.
    let distribution: String?
    /// The distribution whose keys it takes over.
    let parent: String?

    /// - Throws: ``CatalogError`` for a text that is no YAML or no mapping; other faults are noted in `faults`.
    init(_ text: String, name: String, faults: PluginFaults) throws(CatalogError) {
        let fields = try PluginMapping(
            try parsePlugin(text, file: name), file: name, known: Self.known, faults: faults)
        self.name = name
        self.fields = fields
        distribution = try fields.optionalText("distribution")
        parent = try fields.optionalText("inherits")
        guard distribution != nil || parent != nil else {
            throw fields.error(
                "distribution", "this key is missing; a plugin names its distribution, or the one that it adds to")
        }
        recognise =
            fields.has("recognise")
            ? faults.attempt { () throws(CatalogError) in
                try fields.mapping("recognise", known: ReleaseRecognition.known)
            } : nil
        var repositories: [PluginRepository] = []
        for node in try fields.nodes("repositories") {
            _ = faults.attempt { () throws(CatalogError) in
                let entry = try PluginMapping(
                    node, file: name, path: "repositories", known: RepositoryTemplate.known, faults: faults)
                let repository = PluginRepository(name: try entry.text("name"), fields: entry)
                guard !repositories.contains(where: { $0.name == repository.name }) else {
                    throw entry.error("name", "another repository of this file is called \(repository.name) already")
                }
                repositories.append(repository)
            }
        }
        self.repositories = repositories
    }
}

/// One element of `repositories`.
struct PluginRepository {
    let name: String
    let fields: PluginMapping
}

/// A plugin's keys together with those that it took over.
struct CompletedPlugin {
    private(set) var fields: PluginMapping
    private(set) var recognise: PluginMapping?
    /// Of the plugins that this one was derived from under a name of its own, the nearest first.
    private(set) var parentsRecognise: [PluginMapping] = []
    private(set) var repositories: [PluginRepository] = []
    /// The files that say something of it, its own first.
    private(set) var files: [String]

    init(_ file: PluginFile) {
        fields = file.fields
        recognise = file.recognise
        files = [file.name]
        merge(file.repositories)
    }

    /// Adds what an operator's file says of the same distribution.
    mutating func extend(by file: PluginFile) {
        fields = file.fields.completed(by: fields)
        if let own = file.recognise { recognise = recognise.map { own.completed(by: $0) } ?? own }
        files.append(file.name)
        merge(file.repositories)
    }

    /// Makes it a distribution of its own, which must not claim the crashes of the one that it was.
    mutating func derive(_ file: PluginFile) {
        fields = file.fields.completed(by: fields, except: ["display-name", "display-release"])
        parentsRecognise = (recognise.map { [$0] } ?? []) + parentsRecognise
        recognise = file.recognise
        files.insert(file.name, at: 0)
        merge(file.repositories)
    }

    /// By name: each key that the file writes instead of ours, new repositories at the end.
    private mutating func merge(_ others: [PluginRepository]) {
        for other in others {
            _ = other.fields.faults.attempt { () throws(CatalogError) in
                let place = repositories.firstIndex { $0.name == other.name }
                let isRemoved = try other.fields.flag("remove", default: false)
                if let place, isRemoved {
                    repositories.remove(at: place)
                } else if let place {
                    let whole = other.fields.completed(by: repositories[place].fields)
                    repositories[place] = PluginRepository(name: other.name, fields: whole)
                } else if isRemoved {
                    throw other.fields.error("remove", "there is no repository called \(other.name) to remove")
                } else {
                    repositories.append(other)
                }
            }
        }
    }
}
