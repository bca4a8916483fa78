import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite("The log of a kernel, of which the end is kept")
struct KernelLogTests {
    private func log(_ text: String, limit: Int = KernelLog.maximumBytes) throws -> KernelLog? {
        try ScratchDirectory.with { folder in
            let file = folder.appending("log")
            try write(text, to: file)
            return try KernelLog(at: file, limit: limit)
        }
    }

    @Test func shortLogIsWhole() throws {
        let log = try #require(try log("[    1.0] a\n[    2.0] b"))
        #expect(log == KernelLog(Array("[    1.0] a\n[    2.0] b".utf8)))
        #expect(log.notice == nil && log.remark == nil)
    }

    @Test func ofALongLogTheEndIsKeptFromTheBeginningOfALineOn() throws {
        let text = (0..<1000).map { "[    1.0] line \($0)\n" }.joined() + "[    2.0] Kernel panic - not syncing: x\n"
        let log = try #require(try log(text, limit: 1000))
        let kept = String(decoding: log.bytes, as: UTF8.self)
        #expect(kept.hasPrefix("[    1.0] line ") && kept.hasSuffix("Kernel panic - not syncing: x\n"))
        #expect(text.hasSuffix(kept) && kept.utf8.count > 800)
        #expect(log.omittedBytes == text.utf8.count - kept.utf8.count)
        #expect(log.notice == "[the first \(log.omittedBytes) bytes of this log are left out]")
        #expect(log.remark?.contains(" \(log.omittedBytes) bytes") == true)
    }

    @Test func whatWasCutOnceIsNotCutAgainAndItsNoticeIsUnderstood() throws {
        let text = String(repeating: "a\n", count: 100_000)
        let first = try #require(try log(text, limit: 50_000))
        let written = try #require(first.notice) + "\n" + String(decoding: first.bytes, as: UTF8.self)
        #expect(written.utf8.count <= 50_000)
        #expect(try log(written, limit: 50_000) == first)
        // A smaller limit adds to what is left out.
        let second = try #require(try log(written, limit: 10_000))
        #expect(second.omittedBytes + second.bytes.count == 200_000)
    }

    @Test(arguments: [
        "[the first  bytes of this log are left out]\nx",
        "[the first 9999999999999999999 bytes of this log are left out]\nx",
        "[the first 5 bytes of this log are left out] and more\nx", "[the first -5 bytes of this log are left out]\nx",
        "[the first 5 bytes of this log are left out]",
    ]) func whatOnlyLooksAsANoticeIsALine(_ text: String) throws {
        #expect(try log(text) == KernelLog(Array(text.utf8)))
    }

    @Test func logOfOneLineIsCutInTheMiddle() throws {
        let log = try #require(try log(String(repeating: "a", count: 100_000) + "\n", limit: 20_000))
        #expect(log.omittedBytes + log.bytes.count == 100_001 && log.bytes.count > 19_000)
    }

    @Test func blanksAndZerosAreNoLog() throws {
        for text in ["", "\n \n\t", String(repeating: "\0", count: 100_000), "\0\n\0"] {
            #expect(try log(text, limit: 5000) == nil)
        }
        #expect(try KernelLog(at: "/nonexistent/log") == nil)
    }
}
