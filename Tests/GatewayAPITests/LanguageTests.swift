import CrashModel
import HTTPTypes
import HummingbirdTesting
import JobMessages
import TaskStorage
import Testing

@testable import GatewayAPI

/// Who is answered in which language (upstream's rule), and that nothing but the sentences depends on it.
@Suite struct LanguageTests {
    private static let nothingHere = [
        "en": "There is nothing at this address.", "de": "Unter dieser Adresse gibt es nichts.",
        "fr": "Il n'y a rien à cette adresse.",
    ]

    @Test(arguments: [
        ("de", "UTF-8", "de"), ("fr", "utf-8", "fr"), ("en", "UTF-8", "en"), ("de-AT", "UTF-8", "de"),
        ("de_CH", "UTF-8", "de"), ("fr-CA,de", "UTF-8,*", "fr"), ("fr, en;q=0.9", "ISO-8859-1, utf-8;q=0.7", "fr"),
        // One of the two is missing or empty.
        (nil, "UTF-8", "en"), ("de", nil, "en"), (nil, nil, "en"), ("", "UTF-8", "en"), ("de", "", "en"),
        // Not as the rule wants it.
        ("de-at", "UTF-8", "en"), ("de;q=1", "UTF-8", "en"), ("de-DE;q=0.8,fr", "UTF-8", "en"), ("DE", "UTF-8", "en"),
        ("deu", "UTF-8", "en"), ("d", "UTF-8", "en"), ("*", "UTF-8", "en"), ("de-DEU", "UTF-8", "en"),
        ("de.DE", "UTF-8", "en"), ("d\u{e4}", "UTF-8", "en"), ("de", "utf-8;q=0.7", "en"), ("de", "*", "en"),
        (",de", "UTF-8", "en"), ("de", ",UTF-8", "en"),
        // Only the first language counts, also where we have the second.
        ("pl,de", "UTF-8", "en"), ("pt-BR,fr", "UTF-8", "en"),
    ])
    func bothHeadersMustBeThereAndTheFirstLanguageCounts(
        languages: String?, charsets: String?, answer: String
    ) async throws {
        try await GatewayBench.run { _, client in
            var headers = HTTPFields()
            headers[.acceptLanguage] = languages
            headers[.acceptCharset] = charsets
            let response = try await client.execute(uri: "/nowhere", method: .get, headers: headers) { $0 }
            #expect(response.status == .notFound && response.isWellFormed())
            let sentence = try #require(Self.nothingHere[answer])
            #expect(response.text.hasPrefix(sentence + "\n"))
        }
    }

    @Test(arguments: ["de", "fr"]) func statusCodesAndHeadersAreTheSameInEveryLanguage(language: String) async throws {
        try await GatewayBench.run(limits: GatewayLimits(maxParallelTasks: 3)) { bench, client in
            let (directory, password) = try await bench.makeTask([.started, .progress], stage: .build)
            let paths: [(HTTPRequest.Method, String)] = [
                (.get, "/create"), (.post, "/create"), (.get, "/\(directory.task)"),
                (.get, "/\(directory.task)/backtrace"), (.get, "/1"), (.get, "/metrics"), (.get, "/settings"),
                (.get, "/"),
            ]
            for (method, path) in paths {
                let plain = try await client.get(path, password: password, method: method)
                var headers = inLanguage(language)
                headers[.taskPassword] = password
                let translated = try await client.execute(uri: path, method: method, headers: headers) { $0 }
                #expect(translated.status == plain.status, "\(path)")
                #expect(withoutLength(translated.headers) == withoutLength(plain.headers), "\(path)")
                #expect((translated.text == plain.text) == ["/", "/settings"].contains(path), "\(path)")
            }
        }
    }

    @Test func statusIsWrittenInTheReadersLanguage() async throws {
        try await GatewayBench.run { bench, client in
            _ = try await bench.makeTask()
            let (directory, password) = try await bench.makeTask(stage: .build)
            _ = try await bench.store.apply(
                TaskEvent(
                    task: directory.task, stage: .build, kind: .progress, microseconds: 9, message: "3 of 4 packages",
                    fraction: 0.75))
            var headers = inLanguage("de-DE, de;q=0.9")
            headers[.taskPassword] = password
            let text = try await client.execute(uri: "/\(directory.task)", method: .get, headers: headers) { $0 }.text
            #expect(text.contains("In Arbeit: Zusammenstellen der Pakete in einem chroot."))
            #expect(text.contains("3 of 4 packages") && text.contains("75 % dieser Stufe."))
        }
    }

    @Test func failureOfAStageIsTranslatedByItsCodeAndKeepsTheDetails() async throws {
        try await GatewayBench.run { bench, client in
            let (directory, password) = try await bench.makeTask([.started], stage: .resolve)
            let error = StageError(
                .resolve, StageError.Code("unknown-release"), "The crash is of haiku-1, which no plugin lists.",
                advice: "Try again later.")
            _ = try await bench.store.apply(
                TaskEvent(
                    task: directory.task, stage: .resolve, kind: .failed, microseconds: 7, message: error.reason,
                    error: error))
            var headers = inLanguage("fr")
            headers[.taskPassword] = password
            let text = try await client.execute(uri: "/\(directory.task)", method: .get, headers: headers) { $0 }.text
            #expect(
                text == """
                    La tâche a échoué à cette étape : recherche des paquets en cause.
                    Ce serveur ne connaît pas la version du système qui a planté.
                    The crash is of haiku-1, which no plugin lists.
                    Veuillez réessayer plus tard.
                    Code : unknown-release

                    """)
        }
    }

    @Test func fixedRefusalOfIngestIsTranslatedWhole() async throws {
        let error = StageError(
            .ingest, StageError.Code("not-an-archive"), "The upload is not a tar archive.", advice: "Pack it well.")
        try await GatewayBench.run(ingest: { _, _ in replies([.refused(error)]) }) { _, client in
            let response = try await client.upload(more: inLanguage("de"))
            #expect(response.status.code == 403)
            #expect(response.text == "Der Upload ist kein tar-Archiv.\nPack it well.\n")
        }
    }

    @Test func unknownCodeStaysInTheStagesOwnWords() throws {
        let message = Message.ofStage("It {went} wrong.", code: StageError.Code("brand-new"))
        let german = try Languages().language(for: inLanguage("de"))
        #expect(german.code == "de" && message.text(in: german) == "It {went} wrong.")
    }

    @Test func valuesInGapsFillNoOtherGap() {
        let message = Message(.codeAndExitStatus, ["code": "{status}", "status": 1])
        #expect(message.text(in: .english) == "Code: {status}, exit status 1")
    }

    private func inLanguage(_ language: String) -> HTTPFields {
        var headers = HTTPFields()
        headers[.acceptLanguage] = language
        headers[.acceptCharset] = "UTF-8"
        return headers
    }

    private func withoutLength(_ fields: HTTPFields) -> [String] {
        fields.filter { $0.name != .contentLength && $0.name != .date }.map { "\($0.name): \($0.value)" }.sorted()
    }
}
