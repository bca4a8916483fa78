import CrashModel
import Glibc
import Sandbox
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

@Suite("Long texts are read where they lie")
struct LongTextTests {
    @Test(arguments: ["", "\n", "\n\n\n", "a", "a\n", "\na\n\nbc\n", "ä\n€\n\u{301}x\n", "a\u{301}\n\u{301}b\nc"])
    func linesAreThoseThatASplitGives(_ text: String) {
        let split = text.utf8.split(separator: UInt8(ascii: "\n")).map { String(Substring($0)) }
        #expect(TextLines(text).map { String($0) } == split)
        let part = ("x\n" + text + "\ny").dropFirst(2).dropLast(2)
        #expect(TextLines(part).map { String($0) } == split)
    }

    @Test func placesOfWordsAreCountedInBytes() {
        let text = "ä BUG: one\nöBUG: two BUG\n"
        #expect(text.firstPlace(of: "BUG: ") == 3 && text.lastPlace(of: "BUG: ") == 14)
        #expect(text.lastPlace(of: "BUG") == 23 && text.firstPlace(of: "BUGS") == nil)
        #expect(
            text.line(around: 3) == 0..<11 && text.line(around: 14) == 12..<26 && text.text(12..<26) == "öBUG: two BUG")
        #expect("".firstPlace(of: "a") == nil && "a".firstPlace(of: "ab") == nil && "a".firstPlace(of: "") == nil)
        #expect("BUBUG".firstPlace(of: "BUG") == 2 && "BUG".lastPlace(of: "BUG") == 0)
    }

    @Test func theEndOfATextIsWholeLinesWithinTheLimit() {
        let bytes = Array((0..<100).map { "line \($0) ä\u{1b}\n" }.joined().utf8)
        let all = safeText(bytes)
        let whole = safeEnd(of: bytes, limit: 10_000)
        #expect(whole.text == all && whole.omittedBytes == 0)
        for limit in [64, 100, 333, 1000] {
            let end = safeEnd(of: bytes, limit: limit)
            #expect(end.text.utf8.count <= limit && end.text.hasPrefix("line ") && all.hasSuffix(end.text))
            #expect(safeText(bytes[end.omittedBytes...]) == end.text)
        }
        // What is no UTF-8 has an end as well.
        let broken = [UInt8](repeating: 0xa4, count: 1000)
        #expect(safeEnd(of: broken, limit: 100_000).text == safeText(broken))
        #expect(safeEnd(of: broken, limit: 300).text.utf8.count <= 300)
    }

    @Test func whatACommandPrintedIsTakenPieceByPieceAsSafeText() throws {
        try ScratchDirectory.with { scratch in
            let folder = SandboxFolder(scratch.appending("session"), user: .nobody)
            try folder.make()
            let bytes = Array(String(repeating: "aä€🙂\u{202e}\n", count: 20_000).utf8) + [0xf0, 0x9f]
            try FolderContents.write(bytes, to: folder.output(3))
            let taken = try folder.take(folder.output(3), as: "ps", limit: 1 << 30, headBytes: 1000)
            #expect(taken.byteCount == bytes.count)
            let head = try #require(taken.head)
            #expect(!head.isWhole && safeText(bytes).hasPrefix(head.text) && head.text.utf8.count >= 1000)
            try folder.publish("ps", as: scratch.appending("ps"))
            #expect(try FolderContents.read(scratch.appending("ps")) == Array(safeText(bytes).utf8))
            // The output is gone, and one of nothing gives nothing.
            #expect(FolderContents.names(in: folder.path) == ["root"])
            try FolderContents.write([0, 0x0a, 0x20], to: folder.output(4))
            #expect(try folder.take(folder.output(4), as: "mod", limit: 100, headBytes: 100).head == nil)
            #expect(FolderContents.names(in: folder.path) == ["root"])
        }
    }

    @Test func hostileLinesAreNeitherKeptWholeNorForEver() throws {
        let combining = String(repeating: "\u{301}", count: 100_000)
        #expect(try #require(panicLine(inLog: "[ 1.0] BUG: x\(combining)")).unicodeScalars.count <= 1000)
        #expect(systemFacts(in: (0..<10_000).map { "key \($0): value\n" }.joined()).count == 200)
        #expect(systemFacts(in: "a: \(combining)\n").values.allSatisfy { $0.unicodeScalars.count <= 1000 })
        var frames = "PID: 1 TASK: ffff CPU: 0 COMMAND: \"x\"\n"
        for task in 0..<100 {
            frames +=
                "PID: \(task) TASK: ffff CPU: 0 COMMAND: \"x\"\n"
                + String(repeating: " #1 [f] a+1 at 10\n", count: 1000)
        }
        let stacks = KernelStack.stacks(in: frames, limits: RetraceLimits())
        #expect(stacks.reduce(0) { $0 + $1.frames.count } == 32_768)
        let long = " f\(combining)+0x1/0x2 "
        #expect(LogTrace("BUG: x\nCall Trace:\n\(long)", limits: RetraceLimits()) == nil)
    }

    /// Four million lines were once arrays of 128 MiB and more, one for each reader.
    @Test func aLogOfMillionsOfLinesTakesNoMemoryButItsOwn() async {
        await #expect(processExitsWith: .success) {
            var bytes = [UInt8](repeating: UInt8(ascii: "\n"), count: KernelLog.maximumBytes)
            for index in stride(from: 0, to: bytes.count, by: 2) { bytes[index] = UInt8(ascii: "a") }
            bytes.replaceSubrange(0..<20, with: "BUG: Tainted: G  W\n\n".utf8)
            let growth = try PeakMemory.growth {
                let log = DumpLog(KernelLog(bytes), origin: "").text
                guard panicLine(inLog: log) != nil, LogTrace(log, limits: RetraceLimits()) == nil,
                    KernelTaint(system: "", log: log)?.letters == ["W"], KernelBanner(log: log) == nil,
                    log.utf8.count == bytes.count
                else { throw Errno.badMessage }
            }
            guard growth < 32 << 20 else { exit(EXIT_FAILURE) }
        }
    }

    /// A byte that is made visible takes four.
    @Test func aLogOfControlCharactersStaysWithinTheLimit() async {
        await #expect(processExitsWith: .success) {
            let bytes = [UInt8](repeating: 1, count: KernelLog.maximumBytes)
            let growth = try PeakMemory.growth {
                let log = DumpLog(KernelLog(bytes), origin: "")
                guard log.text.utf8.count <= KernelLog.maximumBytes, log.text.utf8.count > 7 << 20, log.remark != nil
                else { throw Errno.badMessage }
            }
            guard growth < 32 << 20 else { exit(EXIT_FAILURE) }
        }
    }
}
