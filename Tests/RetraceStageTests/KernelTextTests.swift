import CrashModel
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

@Suite("What crash and the kernel's log say, read without trust")
struct KernelTextTests {
    @Test func theTraceInALogNamesWhatDied() throws {
        let log = """
            [    1.0] Call Trace:
            [    1.0]  a_warning+0x1/0x2
            [    6.0] BUG: unable to handle page fault for address: 0
            [    6.1] Oops: 0000 [#1] SMP
            [    6.2] CPU: 2 PID: 77 Comm: a b Kdump: loaded Tainted: G        W  OE      6.1.0 #1
            [    6.3] RIP: 0010:culprit+0x182/0x1b0 [some_mod]
            [    6.4] Call Trace:
            [    6.4]  <TASK>
            [    6.4]  ? unsure+0x1/0x2
            [    6.4]  caller.cold+0xdba/0x14c0
            [    6.4]  </TASK>
            [    6.5] Modules linked in: some_mod
            """
        let trace = try #require(LogTrace(log, limits: RetraceLimits()))
        #expect(trace.frames.map(\.function) == ["culprit", "caller.cold"])
        #expect(trace.frames.first?.module == "some_mod" && trace.frames.first?.offset == 0x182)
        #expect(trace.cpu == 2 && trace.pid == 77 && trace.command == "a b")
        #expect(KernelTaint(system: "", log: log)?.letters == ["W", "O", "E"])
        #expect(panicLine(inLog: log) == "Oops: 0000 [#1] SMP")
    }

    @Test func theOldFormOfATraceHasAddresses() throws {
        let log = """
            [1.0] BUG: unable to handle kernel paging request at 0000000201a14dc0
            [1.1] IP: [<ffffffff810ad2c0>] source_load+0x10/0x50
            [1.2] CPU: 2 PID: 23373 Comm: plugin Not tainted 3.10.0-229.el7.x86_64 #1
            [1.3] Call Trace:
            [1.4]  [<ffffffff810ae640>] ? select_task_rq_fair+0x420/0x6f0
            [1.5]  [<ffffffff810a9301>] try_to_wake_up+0x111/0x280
            [1.6] Code: c0 08
            """
        let trace = try #require(LogTrace(log, limits: RetraceLimits()))
        #expect(trace.frames.map(\.function) == ["source_load", "try_to_wake_up"])
        #expect(trace.frames.map(\.address) == [0xffff_ffff_810a_d2c0, 0xffff_ffff_810a_9301])
        #expect(trace.command == "plugin" && KernelTaint(system: "", log: log)?.letters == [])
    }

    @Test(arguments: [
        "", "\n", "Call Trace:\n f+0x1/0x2", "BUG: x\nRIP: 0010:+0x/0x\nCall Trace:\n +0x/0x", "BUG: x\n[<>] a+0x1/0x",
    ])
    func aLogWithoutATraceHasNone(log: String) {
        let trace = LogTrace(log, limits: RetraceLimits())
        #expect(trace == nil || trace?.frames.allSatisfy { $0.function != nil } == true)
        #expect(log.contains("BUG") || trace == nil)
    }

    @Test func whatNobodySaysOfTaintIsNotSaid() {
        #expect(KernelTaint(system: "", log: "nothing") == nil)
        #expect(KernelTaint(system: "TAINTED_MASK: 0", log: "Tainted: W")?.letters == [])
        #expect(KernelTaint(system: "TAINTED_MASK: 201  PW?x", log: "")?.letters == ["P", "W"])
        #expect(KernelTaint(system: "sys: invalid", log: "a\nCPU: 0 Comm: x Tainted: G S 5.1 #2")?.letters == ["S"])
    }

    @Test func theMachineryOfPanickingIsNoSignature() {
        func signature(_ names: [String]) -> [String] {
            CrashSignature(
                ofKernel: BacktraceThread(
                    number: 1, threadID: 1, name: nil, crashed: true,
                    frames: names.enumerated().map { level, name in
                        BacktraceFrame(
                            level: level, address: 0, function: name, sourceFile: nil, sourceLine: nil, module: nil,
                            buildID: nil, package: nil, inlined: false, arguments: [], locals: [])
                    })
            ).functions
        }
        #expect(
            signature(["machine_kexec", "__crash_kexec", "panic", "out_of_memory", "f"]) == ["out_of_memory", "f"])
        #expect(
            signature(["machine_kexec", "crash_kexec", "oops_end", "asm_exc_page_fault", "f.cold", "g"]) == ["f", "g"])
        #expect(signature(["panic"]) == ["panic"])
    }

    @Test func aSessionsMarksAreFoundWhereverAPieceEnds() {
        for size in 1...40 {
            let progress = SessionProgress(nonce: "markxyz")
            let text =
                "WARNING: markxyz\ncrash: command not found: markxyz.0\nmarkxyz.2\ncrash: markxyz.1: command not available\n"
            var bytes = Array(text.utf8)[...]
            var seen: [Int] = []
            while !bytes.isEmpty {
                Array(bytes.prefix(size)).withUnsafeBytes { seen += progress.take($0) }
                bytes = bytes.dropFirst(size)
            }
            #expect(seen == [0, 1] && progress.done == 1 && progress.times.count == 1)
        }
    }

    @Test func theOperatorsCommandsHaveNamesOfTheirOwn() {
        let commands = KernelCommand.all(
            log: true, moduleFiles: [], operators: ["foreach bt", "FOREACH bt", "bt  -a", "..", "ps"])
        let names = commands.map(\.name)
        #expect(
            names.suffix(4) == ["foreach-bt", "foreach-bt-2", "bt-a-2", "command"] && Set(names).count == names.count)
        #expect(names.first == "log")
    }

    /// Results of any other name would be written and never shown to anybody.
    @Test func everyNameOfACommandIsOneThatIsServed() throws {
        let long = "p " + String(repeating: "x", count: 190)
        let operators = try KernelAnalysis(commands: ["struct -o task_struct", "p 1+1", "*?", "-x", long, long + "y"])
        let commands = KernelCommand.all(log: true, moduleFiles: [], operators: operators.commands)
        for command in commands { #expect(TaskDirectory.isResultName(command.name), "\(command.name)") }
    }
}
