import Yams

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
