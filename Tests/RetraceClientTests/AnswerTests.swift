import CrashModel
import Glibc
import SystemPackage
import TestFixtures
import Testing

@testable import RetraceClient

@Suite struct AnswerTests {
    private static let sample = """
        running_tasks 1
        max_running_tasks 10
        max_packed_size 2
        max_unpacked_size 8
        supported_formats application/x-xz-compressed-tar application/zstd
        supported_releases debian-12-x86_64 fedora-41-x86_64
        """

    @Test func settingsAreReadAndUnknownKeysLeftOut() throws {
        let settings = try ServerSettings(parsing: Self.sample + "\nnew_key 1\nodd\n")
        #expect(settings.maxPackedBytes == 2 << 20)
        #expect(settings.releases == ["debian-12-x86_64", "fedora-41-x86_64"])
        #expect(try settings.choose(nil) == .zstd)
        #expect(try settings.choose(.xz) == .xz)
        #expect(throws: ClientError.self) { try settings.choose(.gzip) }
        let old = Self.sample.split(separator: " application/zstd").joined()
        #expect(try ServerSettings(parsing: old).choose(nil) == .xz)
    }

    @Test func namesOfResultsAreNoOtherAddresses() throws {
        #expect(try namedResults(nil) == "results" && namedResults("bt-a") == "results/bt-a")
        for name in ["", "..", "../log", "a/b", "a?b", "a#b", "a b", "%2e", "\u{1b}"] {
            let error = #expect(throws: ClientError.self) { try namedResults(name) }
            #expect(error?.kind == .usage, "\(name)")
        }
    }

    @Test func limitsAreCheckedBeforeAnythingIsSent() throws {
        let settings = try ServerSettings(parsing: Self.sample)
        try settings.checkBeforePacking(byteCount: 8 << 20)
        #expect(throws: ClientError.self) { try settings.checkBeforePacking(byteCount: 8 << 20 + 1) }
        #expect(throws: ClientError.self) { try settings.checkPacked(byteCount: 2 << 20 + 1) }
        let busy = try ServerSettings(parsing: "running_tasks 10" + Self.sample.dropFirst("running_tasks 1".count))
        #expect(throws: ClientError.self) { try busy.checkBeforePacking(byteCount: 1) }
    }

    @Test(arguments: ["", "<html>", "running_tasks 1\n", "running_tasks x\nmax_running_tasks 1\n"])
    func whatIsNoSettingsIsRefused(text: String) {
        #expect(throws: ClientError.self) { try ServerSettings(parsing: text) }
    }

    @Test(arguments: [
        ("retrace.example.org", "https://retrace.example.org"), ("http://127.0.0.1:8181/", "http://127.0.0.1:8181"),
        ("HTTPS://host/base/", "https://host/base"),
    ])
    func addressesAreReadAsABRTReadsThem(text: String, expected: String) throws {
        #expect(try ServerAddress(text).description == expected)
    }

    @Test(arguments: ["", "http://", "ftp://host", "http://:80", "http://user@host", "http://host/?q", "http://ho st"])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(throws: ClientError.self) { try ServerAddress(text) }
    }

    @Test func aStatusTellsTheTimesOfItsStages() {
        let status = TaskStatus(
            word: "FINISHED_SUCCESS", body: "Ready.\nTime: ingest 0.05 s, resolve 0.01 s\nSignal: SIGSEGV\n")
        #expect(status.state == .success)
        #expect(
            status.stageTimes == [
                StageTime(stage: "ingest", seconds: 0.05), StageTime(stage: "resolve", seconds: 0.01),
            ])
        #expect(status.linesWithoutTimes == ["Ready.", "Signal: SIGSEGV"])
        #expect(TaskStatus(word: "FINISHED_ODD", body: "x").state == .failure)
        #expect(TaskStatus(word: "PENDING", body: "x").state == .pending)
    }

    @Test func whatCommandsATerminalIsMadeVisible() {
        #expect(printable("a\u{1b}[2J\tb\n\u{9b}\u{202e}\u{7f}") == "a^[[2J\tb\n<U+009B><U+202E>^?")
        var filter = TerminalFilter()
        let bytes = Array("é\u{1b}€😀".utf8)
        var shown = ""
        for byte in bytes { shown += filter.take([byte]) }
        #expect(shown + filter.finish() == "é^[€😀")
    }

    @Test func passwordsAreKeptForTheUserAlone() async throws {
        try await ScratchDirectory.with { directory in
            let server = try ServerAddress("http://127.0.0.1:8181/base")
            let task = try TaskID("123456789")
            let store = try #require(CredentialStore { $0 == "XDG_STATE_HOME" ? directory.string : nil })
            #expect(try store.password(of: task, on: server) == nil)
            try store.save(TaskCredentials(task: task, password: "secret"), of: server)
            let file = store.directory.appending(server.fileName).appending("123456789")
            var status = stat()
            try #require(stat(file.string, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            #expect(try findPassword(of: task, on: server, option: "a", environment: "b", store: store) == "a")
            #expect(try findPassword(of: task, on: server, option: nil, environment: "b", store: store) == "b")
            #expect(try findPassword(of: task, on: server, option: nil, environment: "", store: store) == "secret")
            let other = try ServerAddress("http://127.0.0.1:1")
            let error = await clientError {
                _ = try findPassword(of: task, on: other, option: nil, environment: nil, store: store)
            }
            #expect(error?.kind == .denied)
        }
    }
}
