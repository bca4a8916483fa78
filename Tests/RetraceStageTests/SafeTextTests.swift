import CrashModel
import Testing

@testable import RetraceStage

@Suite("Text and data that a hostile debugger wrote")
struct SafeTextTests {
    /// Source lines come from the sandbox, where the core may have taken the debugger over.
    @Test(arguments: [
        (5, 3, 6, nil), (1, 0, 6, nil), (1, 40, 3, nil), (-4, 3, 6, nil), (1, 3, 4000, 11), (2, 3, 3, 3),
    ])
    func sourceLinesMustHoldTheFramesOwnLineAndBeFew(first: Int, line: Int, count: Int, taken: Int?) throws {
        let texts = (0..<count).map { "\"line \($0)\"" }.joined(separator: ", ")
        let text = """
            {"thread": 1, "lwp": 7, "crashed": true}
            {"level": 0, "pc": 1, "inline": false, "signal": false, "function": "f", "file": "f.c", "line": \(line), \
            "source_first": \(first), "source": [\(texts)]}

            """
        let lines = FrameLines(Array(text.utf8), limits: RetraceLimits())
        let frames = BacktraceBuilder(modules: [], limits: RetraceLimits()).backtrace(of: lines).threads.flatMap(
            \.frames)
        #expect(frames.count == 1 && frames.first?.source?.lines.count == taken)
    }

    @Test func activeCharactersAreMadeVisible() {
        #expect(safeText("a\u{1b}[31mred\u{7}\r\n\tok".utf8) == "a\\033[31mred\\007\\015\n\tok")
        #expect(safeText("abc\u{202e}gpj.exe\u{200b}\u{feff}".utf8) == "abc\\u202egpj.exe\\u200b\\ufeff")
        #expect(safeText([0x61, 0xff, 0xc3, 0x62]) == "a\u{fffd}\u{fffd}b")
        #expect(safeText("Größe 文字 🙂".utf8) == "Größe 文字 🙂")
    }

    @Test func jsonEscapesDecodeToWhatStoodThere() {
        #expect(escapedJSON("{\"a\": \"x\u{202e}y\u{9b}\u{e0041}\"}") == #"{"a": "x\u202ey\u009b\udb40\udc41"}"#)
        #expect(escapedJSON("{\n\t\"ü\": 1\n}") == "{\n\t\"ü\": 1\n}")
    }

    @Test func linesOfTheScriptAreReadWithoutTrust() {
        let good = #"{"level": 0, "pc": 18446744073709551615, "inline": false, "signal": false, "function": "f"}"#
        let lines = FrameLines(
            Array(
                """
                \(good)
                {"gdb": "13.1"}
                {"thread": 1, "lwp": 5, "crashed": true}
                not json
                {"level": 7, "pc": 1, "inline": false, "signal": false}
                {"level": 0, "pc": -1, "inline": false, "signal": false}
                {"level": 0, "pc": 1e300, "inline": false, "signal": false}
                \(good)
                {"level": 1, "pc": 2, "inline": "yes", "signal": false}
                {"end": null}
                \(String(repeating: "[", count: 100_000))
                """.utf8), limits: RetraceLimits())
        #expect(lines.threads.count == 1)
        #expect(lines.threads.first?.frames.map(\.function) == ["f"])
        #expect(lines.refused == 7 && !lines.complete)
    }

    @Test func threadsAndFramesAndValuesAreCapped() throws {
        var limits = RetraceLimits(threads: 3, frames: 2, valueBytes: 10)
        limits.threads = 3
        var text = ""
        for thread in 1...10 {
            text += "{\"thread\": \(thread), \"crashed\": false}\n"
            for level in 0..<5 {
                text += "{\"level\": \(level), \"pc\": 1, \"inline\": false, \"signal\": false, \"function\": "
                text += "\"\(String(repeating: "x", count: 50))\"}\n"
            }
        }
        let lines = FrameLines(Array(text.utf8), limits: limits)
        let backtrace = BacktraceBuilder(modules: [], limits: limits).backtrace(of: lines)
        #expect(backtrace.threads.count == 3)
        #expect(backtrace.threads.allSatisfy { $0.frames.count == 2 })
        #expect(backtrace.threads.first?.frames.first?.function == "xxxxxxxxxx…")
    }

    @Test func gdbsTextIsReadFrameByFrame() {
        let text = """
            Thread 2 (Thread 0x7f0000000700 (LWP 8) "pool"):
            #0  0x00007f in ?? () from /lib/libffi.so.8
            #1  <signal handler called>
            #2  0x0001 in std::function<int (int)>::operator()(int) const (this=0x0) at /usr/include/c++/12/functional:9
            #3  main (argc=1, text=0x5 "a ) at b.c:1") at ../dir with space/main.c:12
                    local = 1
            Thread 1 (LWP 7):
            #0  pause () at pause.c:3
            """
        let threads = textThreads(in: text)
        #expect(threads.map(\.number) == [2, 1] && threads.map(\.threadID) == [8, 7])
        #expect(threads.first?.frames.map(\.function).prefix(2) == [nil, "<signal handler called>"])
        #expect(threads.first?.frames.last?.line == 12)
        #expect(threads.first?.frames.last?.file == "../dir with space/main.c")
    }
}
