import HTTPTypes

/// A language that the API answers in.
struct Language: Sendable {
    /// `de`, or `pt_BR` where a country has a catalogue of its own.
    let code: String
    /// By English text. Empty for English.
    let translations: [String: String]

    static let english = Language(code: "en", translations: [:])
}

/// All languages of the API.
struct Languages: Sendable {
    private let byCode: [String: Language]

    /// The ones that come with the gateway.
    ///
    /// - Throws: ``GettextCatalogue/Fault`` when a catalogue is broken, which a test rules out.
    init() throws(GettextCatalogue.Fault) {
        try self.init(catalogues: [PackageResources.de_po, PackageResources.fr_po])
    }

    init(catalogues: [[UInt8]]) throws(GettextCatalogue.Fault) {
        var byCode = [Language.english.code: Language.english]
        for bytes in catalogues {
            let catalogue = try GettextCatalogue(bytes)
            byCode[catalogue.language] = Language(code: catalogue.language, translations: catalogue.translations)
        }
        self.byCode = byCode
    }

    /// The language for who sends these headers; English where they name none that we have.
    func language(for headers: HTTPFields) -> Language {
        guard let asked = AcceptedLanguage(headers) else { return .english }
        return byCode[asked.code] ?? byCode[asked.language] ?? .english
    }
}

/// What a client asks for, by upstream's rule.
///
/// `Accept-Language` and `Accept-Charset` must both be there. Only the first item of each is read: the language as `xx`,
/// `xx-YY` or `xx_YY` and the charset as a name, neither with a q-value. The charset is then ignored: answers are UTF-8.
struct AcceptedLanguage: Equatable {
    /// `de`.
    let language: String
    /// `AT`.
    let country: String?

    /// `de_AT`, or `de`.
    var code: String { country.map { "\(language)_\($0)" } ?? language }

    /// nil where the rule says that nothing is translated.
    init?(_ headers: HTTPFields) {
        guard let languages = headers[.acceptLanguage], let charsets = headers[.acceptCharset],
            Self.isCharset(Self.first(charsets))
        else { return nil }
        let item = Array(Self.first(languages).utf8)
        let hasCountry = item.count == 5
        guard item.count == 2 || hasCountry && "-_".utf8.contains(item[2]),
            item.prefix(2).allSatisfy(UInt8(ascii: "a")...UInt8(ascii: "z")),
            item.dropFirst(3).allSatisfy(UInt8(ascii: "A")...UInt8(ascii: "Z"))
        else { return nil }
        language = String(decoding: item.prefix(2), as: UTF8.self)
        country = hasCountry ? String(decoding: item.suffix(2), as: UTF8.self) : nil
    }

    private static func first(_ list: String) -> Substring { list.prefix { $0 != "," } }

    private static func isCharset(_ name: Substring) -> Bool {
        !name.isEmpty
            && name.unicodeScalars.allSatisfy { "-_.:+".unicodeScalars.contains($0) || $0.isASCIIAlphanumeric }
    }
}

extension Sequence<UInt8> {
    fileprivate func allSatisfy(_ range: ClosedRange<UInt8>) -> Bool { allSatisfy { range.contains($0) } }
}

extension Unicode.Scalar {
    fileprivate var isASCIIAlphanumeric: Bool { isASCII && (properties.isAlphabetic || properties.numericType != nil) }
}
