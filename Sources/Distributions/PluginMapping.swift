import Yams

/// A mapping of a plugin's YAML that is read key by key, so that every fault can be told with its file and line.
///
/// Each key knows the file that it was written in, since a plugin may take keys over from another.
struct PluginMapping {
    /// The keys that lead here, with dots between: `repositories`.
    let path: String
    let faults: PluginFaults
    /// The file whose mapping this is; a key may have been written in another.
    let file: String
    /// Where the mapping starts.
    private let line: Int?
    private var entries: [String: Entry]

    private struct Entry {
        let node: Node
        let file: String
        let line: Int?
    }

    /// Notes a fault for each key that is not in `known`.
    ///
    /// - Throws: ``CatalogError`` when `node` is no mapping.
    init(
        _ node: Node, file: String, path: String = "", known: [String], faults: PluginFaults
    ) throws(CatalogError) {
        guard let mapping = node.mapping else {
            throw CatalogError(
                file: file, line: node.mark?.line, key: path.isEmpty ? nil : path,
                reason: "here must stand keys with values: \(known.joined(separator: ", "))")
        }
        entries = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            if known.contains(name) {
                entries[name] = Entry(node: value, file: file, line: key.mark?.line)
            } else {
                faults.note(
                    CatalogError(
                        file: file, line: key.mark?.line, key: path.isEmpty ? name : "\(path).\(name)",
                        reason: "this key is not known; known here are \(known.joined(separator: ", "))"))
            }
        }
        self.file = file
        self.path = path
        self.faults = faults
        line = node.mark?.line
    }

    /// This mapping, with the keys of `parent` that it does not write itself.
    func completed(by parent: Self, except own: [String] = []) -> Self {
        var whole = self
        for (key, entry) in parent.entries where !own.contains(key) && entries[key] == nil {
            whole.entries[key] = entry
        }
        return whole
    }

    /// The mapping below a key.
    func mapping(_ key: String, known: [String]) throws(CatalogError) -> Self {
        try Self(node(key), file: file(of: key), path: longPath(key), known: known, faults: faults)
    }

    func has(_ key: String) -> Bool { entries[key] != nil }

    /// The file in which a key was written.
    func file(of key: String) -> String { entries[key]?.file ?? file }

    /// An error at a key of this mapping.
    func error(_ key: String, _ reason: String, at node: Node? = nil) -> CatalogError {
        CatalogError(
            file: file(of: key), line: node?.mark?.line ?? entries[key]?.line ?? line, key: longPath(key),
            reason: reason)
    }

    private func longPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func node(_ key: String) throws(CatalogError) -> Node {
        guard let entry = entries[key] else { throw error(key, "this key is missing") }
        return entry.node
    }
}

extension PluginMapping {
    func text(_ key: String) throws(CatalogError) -> String { try text(of: node(key), key) }

    func optionalText(_ key: String) throws(CatalogError) -> String? {
        has(key) ? try text(key) : nil
    }

    func flag(_ key: String, default preset: Bool) throws(CatalogError) -> Bool {
        guard has(key) else { return preset }
        let node = try node(key)
        guard let flag = node.bool else { throw error(key, "it is either true or false", at: node) }
        return flag
    }

    /// The elements of a sequence; none when the key is not there.
    func nodes(_ key: String) throws(CatalogError) -> [Node] {
        guard has(key) else { return [] }
        let node = try node(key)
        guard let sequence = node.sequence else { throw error(key, "here must stand a list", at: node) }
        return Array(sequence)
    }

    func texts(_ key: String) throws(CatalogError) -> [String] {
        var all: [String] = []
        for node in try nodes(key) { all.append(try text(of: node, key)) }
        return all
    }

    /// One of an enumeration's words.
    func word<Word: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Word.Type
    ) throws(CatalogError) -> Word where Word.RawValue == String {
        let text = try text(key)
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: " or ")
            throw error(key, "'\(text)' must be \(known)", at: try node(key))
        }
        return word
    }

    /// Names of files below a folder that they must not leave.
    func fileNames(_ key: String) throws(CatalogError) -> [String] {
        for node in try nodes(key) {
            let name = try text(of: node, key)
            guard !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
                throw error(key, "'\(name)' must be the name of a file below gpg/", at: node)
            }
        }
        return try texts(key)
    }

    /// The pairs of a mapping from text to text, with the line of each; none when the key is not there.
    func pairs(_ key: String) throws(CatalogError) -> [(key: String, value: String, node: Node)] {
        guard has(key) else { return [] }
        let node = try node(key)
        guard let mapping = node.mapping else { throw error(key, "here must stand pairs 'text: version'", at: node) }
        var all: [(String, String, Node)] = []
        for (name, value) in mapping { all.append((try text(of: name, key), try text(of: value, key), name)) }
        return all
    }

    private func text(of node: Node, _ key: String) throws(CatalogError) -> String {
        guard let scalar = node.scalar, !scalar.string.isEmpty else {
            throw error(key, "here must stand a text that is not empty", at: node)
        }
        return scalar.string
    }
}
