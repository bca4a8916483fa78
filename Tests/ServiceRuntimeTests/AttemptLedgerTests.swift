import Glibc
import ServiceRuntime
import SystemPackage
import Testing

@Suite struct AttemptLedgerTests {
    private func withDirectory(_ body: (FilePath) async throws -> Void) async throws {
        var template = Array("/tmp/retrace-ledger-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = FilePath(String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        defer {
            for name in ["attempts/retrace", "attempts", ""] { _ = remove(path.pushing(FilePath(name)).string) }
        }
        try await body(path)
    }

    @Test func attemptsAreCountedForgivenAndCleared() async throws {
        try await withDirectory { directory in
            let ledger = AttemptLedger(directory: directory.appending("attempts"), name: "retrace")
            #expect(try await ledger.record() == 1)
            #expect(try await ledger.record() == 2)
            try await ledger.forgive()
            #expect(try await ledger.record() == 2)
            try await ledger.clear()
            try await ledger.clear()
            #expect(try await ledger.record() == 1)
        }
    }

    @Test func ledgerInADirectoryThatIsGoneIsWithdrawn() async throws {
        let ledger = AttemptLedger(directory: "/nonexistent/task/attempts", name: "retrace")
        await #expect(throws: AttemptLedger.Failure.withdrawn) { try await ledger.record() }
    }

    @Test func symbolicLinkInPlaceOfTheLedgerIsNotFollowed() async throws {
        try await withDirectory { directory in
            try #require(mkdir(directory.appending("attempts").string, 0o700) == 0)
            try #require(symlink("/etc/passwd", directory.appending("attempts").appending("retrace").string) == 0)
            let ledger = AttemptLedger(directory: directory.appending("attempts"), name: "retrace")
            await #expect(throws: AttemptLedger.Failure.system(.tooManySymbolicLinkLevels)) {
                try await ledger.record()
            }
        }
    }
}
