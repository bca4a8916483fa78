/// Sentences for a person, each once and not too many, whatever the core says.
struct Remarks {
    private(set) var sentences: [String] = []
    private static let maximumCount = 32

    mutating func add(_ sentence: String) {
        guard sentences.count <= Self.maximumCount, !sentences.contains(sentence) else { return }
        sentences.append(
            sentences.count < Self.maximumCount ? sentence : "There is more to remark than is kept here.")
    }

    /// Text of the core for use in a sentence: in quotes, cut, with everything escaped that a terminal could act on.
    static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.prefix(160).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                "\\u{\(String(scalar.value, radix: 16))}"
            default: String(scalar)
            }
        }
        return "'" + escaped.joined() + (text.unicodeScalars.count > 160 ? "…" : "") + "'"
    }

    /// Whether text holds characters that a terminal or a page could act on.
    static func isHostile(_ text: String) -> Bool {
        text.unicodeScalars.contains { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: true
            default: false
            }
        }
    }
}
