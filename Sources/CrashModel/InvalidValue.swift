/// The text that was given for one of the field's nouns does not have its form.
package struct InvalidValue: Error, Equatable, CustomStringConvertible {
    /// The noun, as users know it: `build-id`, `task id`, `release`.
    package let noun: String
    /// The text that was given, cut to 120 characters.
    package let text: String
    /// What the noun looks like.
    package let expected: String

    /// - Parameters:
    ///   - noun: The noun, as users know it.
    ///   - text: What was given; only its first 120 characters are kept.
    ///   - expected: What would have been right.
    package init(noun: String, text: some StringProtocol, expected: String) {
        self.noun = noun
        self.text = String(text.prefix(120))
        self.expected = expected
    }

    package var description: String {
        let article = noun.first.map { "aeiou".contains($0) } == true ? "an" : "a"
        return "'\(text)' is not \(article) \(noun): \(expected)"
    }
}
