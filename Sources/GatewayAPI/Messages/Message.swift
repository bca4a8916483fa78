import CrashModel

/// A sentence with its gaps filled, in no language yet.
struct Message: Hashable, Sendable, CustomStringConvertible {
    /// English, with gaps as `{name}`; the key of the catalogues.
    private let pattern: String
    private let values: [String: Message]
    /// What the code of a stage's error means, if the sentence is a stage's own.
    private let meaning: String?

    init(_ sentence: Sentence, _ values: [String: any CustomStringConvertible & Sendable] = [:]) {
        self.init(pattern: sentence.rawValue, values: Self.messages(values))
    }

    init(_ sentence: StatusSentence, _ values: [String: any CustomStringConvertible & Sendable] = [:]) {
        self.init(pattern: sentence.rawValue, values: Self.messages(values))
    }

    private init(pattern: String, values: [String: Message] = [:], meaning: String? = nil) {
        self.pattern = pattern
        self.values = values
        self.meaning = meaning
    }

    /// A gap is filled with a message as it is; anything else is text, translated only where a catalogue knows it.
    private static func messages(_ values: [String: any CustomStringConvertible & Sendable]) -> [String: Message] {
        values.mapValues { $0 as? Message ?? Message(pattern: "\($0)") }
    }

    /// What a stage said in English. Where no catalogue knows the whole of it, the translated meaning of `code` comes
    /// first.
    static func ofStage(_ english: String, code: StageError.Code? = nil) -> Message {
        Message(pattern: english, meaning: code.flatMap { FailureSentence.byCode[$0.description] })
    }

    /// The sentence in this language. What has no translation is English.
    func text(in language: Language) -> String {
        if let translated = language.translations[pattern] { return filled(translated, language) }
        guard let meaning, let translated = language.translations[meaning] else { return filled(pattern, language) }
        return translated + "\n" + pattern
    }

    var description: String { text(in: .english) }

    /// One pass from left to right, so that a value with a brace in it fills no other gap.
    private func filled(_ pattern: String, _ language: Language) -> String {
        guard !values.isEmpty else { return pattern }
        var text = ""
        var rest = pattern[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            text += rest[..<open]
            let name = rest[rest.index(after: open)..<close]
            text += values[String(name)]?.text(in: language) ?? "{\(name)}"
            rest = rest[rest.index(after: close)...]
        }
        return text + rest
    }
}

extension Message {
    /// Every English text that a catalogue must translate.
    static var allEnglish: [String] {
        Sentence.allCases.map(\.rawValue) + StatusSentence.allCases.map(\.rawValue)
            + Stage.allCases.map(\.activity) + FailureSentence.byCode.values.sorted() + FailureSentence.advice
    }
}
