/// The entries of a gettext catalogue (`.po`), in the part of the format that we use: msgid and msgstr, strings over
/// several lines, comments, the flag `fuzzy`. Plurals and contexts are faults, and so is every charset but UTF-8.
///
/// Format: the manual of GNU gettext, "The Format of PO Files".
struct GettextCatalogue: Equatable {
    /// `Language` of the catalogue's header.
    let language: String
    /// By msgid. An entry without a translation, or with one that nobody has looked at (`fuzzy`), is not in it.
    let translations: [String: String]

    struct Fault: Error, Equatable, CustomStringConvertible {
        /// From 1.
        let line: Int
        let reason: String
        var description: String { "line \(line): \(reason)" }
    }

    private struct Entry {
        var original: String?
        var translation: String?
        var isFuzzy = false
    }

    /// - Throws: ``Fault`` with the first line that is none of the format.
    init(_ bytes: [UInt8]) throws(Fault) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Fault(line: 1, reason: "the catalogue is not UTF-8")
        }
        var found: [String: String] = [:]
        var entry = Entry()
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if line.hasPrefix("#") {
                if entry.translation != nil { try Self.finish(&entry, into: &found, number) }
                if line.hasPrefix("#,"), line.contains("fuzzy") { entry.isFuzzy = true }
            } else if line.hasPrefix("msgid \"") {
                try Self.finish(&entry, into: &found, number)
                entry.original = try Self.quoted(line.dropFirst("msgid ".count), number)
            } else if line.hasPrefix("msgstr \""), entry.original != nil, entry.translation == nil {
                entry.translation = try Self.quoted(line.dropFirst("msgstr ".count), number)
            } else if line.hasPrefix("\""), entry.original != nil {
                let more = try Self.quoted(line, number)
                if entry.translation != nil { entry.translation?.append(more) } else { entry.original?.append(more) }
            } else if !line.isEmpty {
                throw Fault(line: number, reason: "neither a comment nor msgid, msgstr or the rest of one")
            }
        }
        try Self.finish(&entry, into: &found, number)
        let header = Self.fields(of: found.removeValue(forKey: "") ?? "")
        guard header["Content-Type"] == "text/plain; charset=UTF-8" else {
            throw Fault(line: 1, reason: "the header says no Content-Type: text/plain; charset=UTF-8")
        }
        guard let language = header["Language"], !language.isEmpty else {
            throw Fault(line: 1, reason: "the header names no Language")
        }
        self.language = language
        translations = found
    }

    private static func finish(
        _ entry: inout Entry, into found: inout [String: String], _ number: Int
    ) throws(Fault) {
        guard let original = entry.original else { return }
        guard let translation = entry.translation else { throw Fault(line: number, reason: "a msgid has no msgstr") }
        guard found[original] == nil else { throw Fault(line: number, reason: "the msgid before is there twice") }
        if !translation.isEmpty, !entry.isFuzzy { found[original] = translation }
        entry = Entry()
    }

    private static func quoted(_ text: Substring, _ number: Int) throws(Fault) -> String {
        guard text.count >= 2, text.first == "\"", text.last == "\"" else {
            throw Fault(line: number, reason: "a string ends before its quotation mark")
        }
        var value = ""
        var rest = text.dropFirst().dropLast()
        while let character = rest.popFirst() {
            guard character != "\"" else { throw Fault(line: number, reason: "a quotation mark without \\") }
            guard character == "\\" else {
                value.append(character)
                continue
            }
            switch rest.popFirst() {
            case "n": value.append("\n")
            case "t": value.append("\t")
            case "\"": value.append("\"")
            case "\\": value.append("\\")
            default: throw Fault(line: number, reason: "an escape other than \\n, \\t, \\\" and \\\\")
            }
        }
        return value
    }

    private static func fields(of header: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in header.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return fields
    }
}
