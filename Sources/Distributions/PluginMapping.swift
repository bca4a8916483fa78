import Yams

/// A mapping of a plugin's YAML that is read key by key, so that every fault can be told with its line.
struct PluginMapping {
    let file: String
    /// The keys that lead here, with dots between: `repositories`.
    let path: String
    /// Where the mapping starts.
    let line: Int?
    private let values: [String: Node]
    private let lines: [String: Int]

    /// - Throws: ``CatalogError`` when `node` is no mapping, or has a key that is not in `known`.
    init(_ node: Node, file: String, path: String = "", known: [String]) throws(CatalogError) {
        guard let mapping = node.mapping else {
            throw CatalogError(
                file: file, line: node.mark?.line, key: path.isEmpty ? nil : path,
                reason: "here must stand keys with values: \(known.joined(separator: ", "))")
        }
        var values: [String: Node] = [:]
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard known.contains(name) else {
                throw CatalogError(
                    file: file, line: key.mark?.line, key: path.isEmpty ? name : "\(path).\(name)",
                    reason: "this key is not known; known here are \(known.joined(separator: ", "))")
            }
            values[name] = value
            lines[name] = key.mark?.line
        }
        self.file = file
        self.path = path
        self.line = node.mark?.line
        self.values = values
        self.lines = lines
    }

    func has(_ key: String) -> Bool { values[key] != nil }

    /// An error at a key of this mapping.
    func error(_ key: String, _ reason: String, at node: Node? = nil) -> CatalogError {
        CatalogError(
            file: file, line: node?.mark?.line ?? lines[key] ?? line, key: path.isEmpty ? key : "\(path).\(key)",
            reason: reason)
    }

    func node(_ key: String) throws(CatalogError) -> Node {
        guard let node = values[key] else { throw error(key, "this key is missing") }
        return node
    }

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

/// The root of a plugin's YAML.
///
/// - Throws: ``CatalogError`` with the line at which the text stops being YAML.
func parsePlugin(_ text: String, file: String) throws(CatalogError) -> Node {
    do {
        guard let node = try compose(yaml: text) else { throw CatalogError(file: file, reason: "it is empty") }
        return node
    } catch let error as CatalogError {
        throw error
    } catch let error as YamlError {
        throw CatalogError(file: file, line: error.line, reason: "it is not YAML: \(error.problem)")
    } catch {
        throw CatalogError(file: file, reason: "it is not YAML: \(error)")
    }
}

extension YamlError {
    fileprivate var line: Int? {
        switch self {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: nil
        }
    }

    fileprivate var problem: String {
        switch self {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _),
            .reader(let problem, _, _, _):
            problem
        case .duplicatedKeysInMapping(let keys, _): "the key \(keys.joined(separator: ", ")) stands there twice"
        default: "\(self)"
        }
    }
}
