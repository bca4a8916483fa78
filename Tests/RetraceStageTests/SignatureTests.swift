import CrashModel
import Testing

@testable import RetraceStage

@Suite("Signatures")
struct SignatureTests {
    @Test func plumbingOfAbortAndAssertIsSkipped() {
        let signature = signature(of: [
            "__pthread_kill_implementation", "__GI_raise", "__GI_abort", "__assert_fail_base.cold",
            "__GI___assert_fail",
            "check_order.part.0", "sell", "main",
        ])
        #expect(signature.functions == ["check_order", "sell", "main"])
        #expect(signature.hash.utf8.count == 16)
    }

    @Test func namelessCodeBetweenPlumbingIsSkippedToo() {
        let names = ["raise()", "abort", nil, nil, "std::terminate()", "__cxa_throw", "Shelf::pick(int)", nil, "main"]
        #expect(signature(of: names).functions == ["Shelf::pick", "??", "main"])
        #expect(signature(of: [nil, "work", "abort"]).functions == ["??", "work"])
    }

    @Test func itIsTheSameForEver() {
        #expect(signature(of: ["a", "b"]).hash == "e5beb1190415e670")
        #expect(signature(of: ["a", "b"]).hash != signature(of: ["a\nb", "c"]).hash)
    }

    @Test func anEmptyStackAndPlumbingAloneHaveOneToo() {
        #expect(CrashSignature(of: nil, modules: []).functions == [])
        #expect(signature(of: ["abort", "raise"]).functions == ["abort", "raise"])
    }

    @Test func codeWithoutANameIsModuleAndOffset() throws {
        let module = LoadedModule(
            path: "/usr/lib/libffi.so.8", buildID: nil, start: 0x1000, end: 0x2000, kind: .library)
        let thread = BacktraceThread(
            number: 1, threadID: 1, name: nil, crashed: true, frames: [frame(nil, 0x1234), frame(nil, 0x9999)])
        #expect(CrashSignature(of: thread, modules: [module]).functions == ["libffi.so.8+0x234", "??"])
    }

    private func signature(of names: [String?]) -> CrashSignature {
        let frames = names.map { frame($0, 0) }
        return CrashSignature(
            of: BacktraceThread(number: 1, threadID: 1, name: nil, crashed: true, frames: frames), modules: [])
    }

    private func frame(_ name: String?, _ address: UInt64) -> BacktraceFrame {
        BacktraceFrame(
            level: 0, address: address, function: name, sourceFile: nil, sourceLine: nil, module: nil, buildID: nil,
            package: nil, inlined: false, arguments: [], locals: [])
    }
}
