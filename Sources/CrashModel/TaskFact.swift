/// The facts of an event that are lists: a line each, of two words. Statistics are made of them.
package enum TaskFact {
    /// `name version` of every package of the crash root that holds no debuginfo and no source code.
    package static let packages = "packages"
    /// `build-id file-name` of every module whose file or debuginfo is in no mirrored package; `-` for no build-id.
    package static let missingBuildIDs = "missing_build_ids"
    /// The longest list, in bytes; what does not fit is left out.
    package static let maximumBytes = 16384

    /// The list as the value of a fact; blanks in a word become underscores.
    package static func list(_ pairs: [(String, String)]) -> String {
        var text = ""
        for (first, second) in pairs {
            let line = "\(word(first)) \(word(second))"
            guard text.utf8.count + line.utf8.count + 1 <= maximumBytes else { break }
            text += text.isEmpty ? line : "\n" + line
        }
        return text
    }

    /// The pairs of a list; lines that are none are left out.
    package static func pairs(in fact: String?) -> [(String, String)] {
        (fact ?? "").split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 2 ? (String(words[0]), String(words[1])) : nil
        }
    }

    /// Hostile text as one word of at most 120 characters.
    private static func word(_ text: String) -> String {
        let plain = text.unicodeScalars.prefix(120).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse,
                .unassigned:
                Character("_")
            default: Character(scalar)
            }
        }
        return plain.isEmpty ? "-" : String(plain)
    }
}
