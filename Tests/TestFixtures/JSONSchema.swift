import FoundationEssentials

import class Foundation.JSONSerialization

/// As much of JSON Schema as `services/messages` uses: type, enum, required, properties, items, `$ref`.
package struct JSONSchema {
    private let root: [String: Any]
    private let shared: [String: Any]

    /// - Parameter name: The file below `services/messages`, without its endings.
    package init(named name: String) throws {
        root = try Self.object("services/messages/\(name).schema.json")
        shared = try Self.object("services/messages/definitions.schema.json")
    }

    /// A line for everything in the document that the schema does not allow.
    package func violations(of document: [UInt8]) throws -> [String] {
        let value = try JSONSerialization.jsonObject(with: Data(document))
        return check(value, root, at: "$")
    }

    private func check(_ value: Any, _ schema: [String: Any], at path: String) -> [String] {
        if let reference = schema["$ref"] as? String {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            guard let target = (shared["$defs"] as? [String: Any])?[name] as? [String: Any] else {
                return ["\(path): no definition \(reference)"]
            }
            return check(value, target, at: path)
        }
        var wrong: [String] = []
        if let choices = schema["enum"] as? [String], !choices.contains(value as? String ?? "") {
            wrong.append("\(path): not one of \(choices)")
        }
        switch schema["type"] as? String {
        case "string" where !(value is String): wrong.append("\(path): no string")
        case "array":
            guard let items = value as? [Any] else { return ["\(path): no array"] }
            let schema = schema["items"] as? [String: Any] ?? [:]
            for (index, item) in items.enumerated() { wrong += check(item, schema, at: "\(path)[\(index)]") }
        case "object":
            guard let fields = value as? [String: Any] else { return ["\(path): no object"] }
            let known = schema["properties"] as? [String: [String: Any]]
            for name in schema["required"] as? [String] ?? [] where fields[name] == nil {
                wrong.append("\(path): lacks \(name)")
            }
            for (name, field) in fields {
                if let known, known[name] == nil { wrong.append("\(path).\(name): is not documented") }
                if let schema = known?[name] { wrong += check(field, schema, at: "\(path).\(name)") }
            }
            for (name, schema) in known ?? [:] where schema["description"] == nil && schema["$ref"] == nil {
                wrong.append("\(path).\(name): has no description")
            }
        case "boolean" where !(value is Bool): wrong.append("\(path): no boolean")
        case "integer" where !(value is Int): wrong.append("\(path): no integer")
        default: break
        }
        return wrong
    }

    private static func object(_ path: String) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(Checkout.read(path)))
        return value as? [String: Any] ?? [:]
    }
}
