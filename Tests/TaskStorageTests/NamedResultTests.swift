import CrashModel
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite struct NamedResultTests {
    @Test func filesOfTheFolderAreResultsAndNothingElse() throws {
        try ScratchDirectory.with { spool in
            let directory = try TaskDirectory.create(in: spool)
            #expect(try directory.namedResults().isEmpty && directory.namedResult("ps") == nil)
            #expect(mkdir(directory.results.string, 0o700) == 0)
            #expect(mkdir(directory.results.appending("folder").string, 0o700) == 0)
            try write("secret", to: directory.path.appending("secret"))
            #expect(symlink("../secret", directory.results.appending("link").string) == 0)
            #expect(mkfifo(directory.results.appending("fifo").string, 0o600) == 0)
            for name in ["ps", "bt-a", "ps.new", ".ps"] { try write("text", to: directory.results.appending(name)) }
            let results = try directory.namedResults()
            #expect(results.map(\.name) == ["bt-a", "ps"] && results.map(\.byteCount) == [4, 4])
            #expect(try directory.namedResult("ps")?.read(at: 0, count: 9) == Array("text".utf8))
            for name in ["link", "fifo", "folder", "ps.new", ".ps", "PS", "../secret", "ps/", "./ps", "", "ps\0"] {
                #expect(try directory.namedResult(name) == nil, "\(name)")
            }
        }
    }

    @Test func linkInPlaceOfTheFolderIsNotFollowed() throws {
        try ScratchDirectory.with { spool in
            let directory = try TaskDirectory.create(in: spool)
            #expect(mkdir(spool.appending("elsewhere").string, 0o700) == 0)
            try write("text", to: spool.appending("elsewhere/ps"))
            #expect(symlink("../elsewhere", directory.results.string) == 0)
            #expect(throws: Errno.self) { try directory.namedResults() }
            #expect(throws: Errno.self) { try directory.namedResult("ps") }
        }
    }

    @Test(arguments: [
        ("ps", true), ("bt-a", true), ("p-jiffies-64", true), ("7", true), (String(repeating: "a", count: 64), true),
        (String(repeating: "a", count: 65), false), ("", false), ("-a", false), ("a.b", false), ("a/b", false),
        ("a_b", false), ("ä", false), ("a b", false), ("a\n", false),
    ])
    func nameIsOfLettersDigitsAndHyphens(name: String, isOne: Bool) {
        #expect(TaskDirectory.isResultName(name) == isOne)
    }
}
