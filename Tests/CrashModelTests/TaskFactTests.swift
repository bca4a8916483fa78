import CrashModel
import Testing

@Suite struct TaskFactTests {
    @Test func listIsReadAsItWasWritten() {
        let pairs = [("bash", "5.2-1"), ("libc6", "2.36-9")]
        let read = TaskFact.pairs(in: TaskFact.list(pairs))
        #expect(read.map(\.0) == pairs.map(\.0) && read.map(\.1) == pairs.map(\.1))
        #expect(TaskFact.pairs(in: nil).isEmpty && TaskFact.pairs(in: "one").isEmpty)
    }

    @Test func hostileWordsStayOneWordAndTheListIsBounded() {
        let read = TaskFact.pairs(in: TaskFact.list([("a b\nc d", ""), ("\u{202e}x", "y")]))
        #expect(read.map(\.0) == ["a_b_c_d", "_x"] && read.map(\.1) == ["-", "y"])
        let long = TaskFact.list((0..<10_000).map { ("package-\($0)", "1") })
        #expect(long.utf8.count <= TaskFact.maximumBytes && TaskFact.pairs(in: long).count > 500)
    }
}
