import CrashModel
import FoundationEssentials
import Testing

@testable import GatewayAPI

/// The catalogues of translations: whole, without leftovers, and with the same gaps as the English text.
@Suite struct CatalogueTests {
    private static let catalogues = [PackageResources.de_po, PackageResources.fr_po]

    @Test func theLanguagesAreGermanAndFrench() throws {
        #expect(try Self.catalogues.map { try GettextCatalogue($0).language } == ["de", "fr"])
    }

    @Test(arguments: catalogues.indices) func everySentenceIsTranslatedAndNoneIsLeftOver(index: Int) throws {
        let translations = try GettextCatalogue(Self.catalogues[index]).translations
        let missing = Set(Message.allEnglish).subtracting(translations.keys).sorted()
        #expect(missing.isEmpty, "add:\n\(missing.map { "msgid \"\($0)\"\nmsgstr \"\"\n" }.joined(separator: "\n"))")
        let stale = Set(translations.keys).subtracting(Message.allEnglish).sorted()
        #expect(stale.isEmpty, "nobody says this any more: \(stale)")
    }

    @Test(arguments: catalogues.indices) func translationsHaveTheGapsOfTheEnglishText(index: Int) throws {
        for (english, translated) in try GettextCatalogue(Self.catalogues[index]).translations {
            #expect(gaps(of: english) == gaps(of: translated), "\(english)")
            #expect(
                translated != english
                    || ["Signal: {signal}", "Kernel: {kernel}", "Release: {release}", "Code: {code}"].contains(english))
        }
    }

    /// Most codes are other modules', so the sources are asked.
    @Test func everyCodeThatAStageDeclaresHasItsMeaningAndNoOtherHas() throws {
        var declared: Set<String> = []
        for file in try FileManager.default.subpathsOfDirectory(atPath: Self.sources) {
            guard file.hasSuffix(".swift") else { continue }
            let text = try String(contentsOfFile: "\(Self.sources)/\(file)", encoding: .utf8)
            for block in text.split(separator: "extension StageError.Code {").dropFirst() {
                let end = block.firstRange(of: "\n}")?.lowerBound ?? block.endIndex
                for match in block[..<end].matches(of: /static let \w+ = Self\("([a-z-]+)"\)/) {
                    declared.insert(String(match.1))
                }
            }
        }
        #expect(declared.count > 30)
        #expect(declared == Set(FailureSentence.byCode.keys))
    }

    @Test func englishSentencesAreDistinctAndEndAsSentencesDo() {
        let all = Sentence.allCases.map(\.rawValue) + FailureSentence.byCode.values + FailureSentence.advice
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { $0.hasSuffix(".") })
    }

    @Test(arguments: [
        ("msgid \"a\"\n", "no msgstr"), ("msgid \"a\nmsgstr \"b\"\n", "quotation mark"),
        ("msgid \"a\"\nmsgstr \"b\\x\"\n", "escape"), ("msgid \"a\"\nmsgstr \"b\"\"\n", "quotation mark"),
        ("msgid \"a\"\nmsgstr \"b\"\n\nmsgid \"a\"\nmsgstr \"c\"\n", "twice"),
        ("msgctxt \"menu\"\nmsgid \"a\"\nmsgstr \"b\"\n", "neither"),
        ("msgid \"a\"\nmsgid_plural \"b\"\nmsgstr[0] \"c\"\n", "neither"), ("msgstr \"b\"\n", "neither"),
        ("msgid \"a\"\nmsgstr \"b\"\n", "Content-Type"),
        ("msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n", "Language"),
        ("msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=ISO-8859-1\\nLanguage: de\\n\"\n", "Content-Type"),
    ])
    func brokenCatalogueIsRefusedWithItsFault(text: String, fault: String) {
        let thrown = #expect(throws: GettextCatalogue.Fault.self) { try GettextCatalogue(Array(text.utf8)) }
        #expect(thrown?.description.contains(fault) == true, "\(String(describing: thrown))")
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        #expect(throws: GettextCatalogue.Fault.self) { try GettextCatalogue([0x23, 0xff, 0x0a]) }
    }

    @Test func stringsOverLinesAreJoinedAndWhatIsFuzzyEmptyOrObsoleteIsLeftOut() throws {
        let catalogue = try GettextCatalogue(
            Array(
                #"""
                # A comment
                msgid ""
                msgstr ""
                "Content-Type: text/plain; charset=UTF-8\n"
                "Language: xx\n"

                #. for whom
                msgid "one "
                "two"
                msgstr "\"eins\" "
                "zwei\\"
                #, fuzzy, python-brace-format
                msgid "guessed {x}"
                msgstr "geraten {x}"
                msgid "empty"
                msgstr ""
                #~ msgid "old"
                #~ msgstr "alt"
                """#.utf8))
        #expect(catalogue.language == "xx")
        #expect(catalogue.translations == ["one two": #""eins" zwei\"#])
    }

    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Sources").path

    private func gaps(of text: String) -> [String] { text.matches(of: /\{\w+\}/).map { String($0.0) }.sorted() }
}
