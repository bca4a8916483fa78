import CrashModel
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

@Suite("The rungs of a kernel's analysis, by a stand-in for crash", .enabled(if: StandInCrash.isPossible))
struct KernelLadderTests {
    /// Analyses eight bytes that are no dump with a crash that answers as the test says.
    private func analysed(
        start: String = "", answer: String = plainAnswers,
        files: KernelFiles? = KernelFiles(vmlinux: "/vmlinux", modules: nil),
        log: String? = nil, limits: RetraceLimits = RetraceLimits(), buildID: String? = nil,
        release: String = "6.1.0-56-cloud-amd64", modules: [String] = []
    ) async throws -> RetracedKernel {
        let task = try KernelTask(bytes: Array("no dump.".utf8))
        defer { task.remove() }
        let root = task.scratch.path.appending("root")
        mkdir(root.string, 0o755)
        try put("no vmlinux", at: root.appending("vmlinux"))
        mkdir(root.appending("modules").string, 0o755)
        for name in modules { try put("", at: root.appending("modules").appending(name)) }
        if let log {
            mkdir(task.directory.results.string, 0o700)
            try put(log, at: task.directory.results.appending("log"))
        }
        let crash = try await StandInCrash(in: task.scratch.path, start: start, answer: answer)
        return try await task.retraced(
            kernelDump(release: release, buildID: buildID), files: files, root: root, debugger: crash.root,
            limits: limits)
    }

    @Test func allCommandsAreFilesAndTheExceptionIsTheCulprit() async throws {
        var limits = RetraceLimits()
        limits.kernel = try KernelAnalysis(commands: ["foreach bt", "ps", "p jiffies_64"])
        let answer = try await analysed(limits: limits)
        #expect(answer.summary.rung == .full && answer.summary.panic == "BUG: something")
        #expect(
            answer.summary.crashFunction == "culprit" && answer.summary.signature.functions == ["culprit", "caller"])
        #expect(
            Set(answer.results.keys) == [
                "log", "sys", "bt", "bt-a", "mod", "ps", "mount", "files", "foreach-bt", "p-jiffies-64",
            ])
        #expect(answer.results["foreach-bt"] == "answer to foreach bt\n" && answer.results["ps"] == "PS\n")
        #expect(!answer.names.contains { $0.hasPrefix("session") }, "\(answer.names)")
        let decoded = try DecodedKernel(answer.json)
        #expect(decoded.kernel.cpu == 1 && decoded.kernel.command == "worker" && decoded.kernel.verified == false)
        #expect(decoded.kernel.taint?.map(\.letter) == ["W", "O"])
        #expect(decoded.kernel.modules.first?.symbols == false)
        #expect(decoded.threads.map(\.crashed) == [true, false])
        let culprit = try #require(decoded.threads.first?.frames.dropFirst(2).first)
        #expect(culprit.function == "culprit" && culprit.offset == 16 && culprit.line == 42)
        #expect(culprit.file == "drivers/misc/culprit.c" && culprit.module == "culprit_mod")
        #expect(answer.text.hasPrefix("BUG: something\n") && answer.text.contains("== KERNEL LOG =="))
        #expect(try JSONSchema(named: "Backtrace").violations(of: Array(answer.json.utf8)) == [])
    }

    @Test func aCommandThatHangsIsNamedAndTheOthersRun() async throws {
        var limits = RetraceLimits()
        limits.kernel = try KernelAnalysis(commandTime: .seconds(2), startTime: .seconds(60), commands: [])
        let answer = try await analysed(answer: "ps) echo begun; sleep 1000;;\n" + plainAnswers, limits: limits)
        #expect(answer.summary.rung == .full)
        #expect(answer.summary.remarks.contains { $0.hasPrefix("ps: crash was stopped after 2 s") })
        #expect(answer.results["mount"] == "MOUNT\n" && answer.results["files"] == "FILES\n")
        #expect(answer.results["ps"] == "begun\n" && answer.results["bt"] != nil)
    }

    @Test func aCommandThatFloodsOrKillsCrashIsNamedAndTheOthersRun() async throws {
        var limits = RetraceLimits()
        limits.kernel.commandBytes = 100_000
        let flood = "ps) while :; do echo noise; done;;\nmount) kill -SEGV $$;;\n"
        let answer = try await analysed(answer: flood + plainAnswers, limits: limits)
        #expect(answer.summary.rung == .full && answer.results["files"] == "FILES\n")
        #expect(answer.summary.remarks.contains { $0.hasPrefix("mount: crash was ended by signal 11") })
        #expect(answer.summary.remarks.contains { $0.hasPrefix("ps: crash was stopped after 97 KiB of output") })
        #expect(answer.results["ps"]?.utf8.count == 100_000)
    }

    @Test func aRungThatFailsIsToldWithCrashsOwnWords() async throws {
        let answer = try await analysed(
            start: #"""
                case "$options" in *zero_excluded*) ;; *) echo 'crash: page excluded: "xtime"'; exit 1;; esac
                """#)
        #expect(answer.summary.rung == .zeroExcluded)
        let refusals = try DecodedKernel(answer.json).kernel.refusals
        #expect(refusals.map(\.rung) == ["full"])
        #expect(refusals.first?.reason.contains(#"crash: page excluded: "xtime""#) == true, "\(refusals)")
        #expect(answer.text.contains("Not full: "))
    }

    @Test func theLogAloneIsAResultOnTheLowerRungs() async throws {
        let start = #"case "$options" in *minimal*) ;; *) echo "crash: cannot read"; exit 1;; esac"#
        let minimal = try await analysed(start: start)
        #expect(minimal.summary.rung == .minimal && minimal.results["log"] == "[    1.0] BUG: something\n")
        let bare = try await analysed(start: "exit 1", log: "[    2.0] Kernel panic - not syncing: x\n")
        #expect(bare.summary.rung == .logOnly && bare.summary.panic == "Kernel panic - not syncing: x")
        let without = try await analysed(
            files: nil, log: "[    2.0] Oops: 1\n[    2.1] Call Trace:\n[    2.2]  f+0x1/0x2\n")
        #expect(without.summary.rung == .logOnly && without.summary.crashFunction == "f")
        #expect(
            without.summary.sentence
                == "It crashed in f; what could be had is the kernel's log, read from the dump alone.")
        for answer in [minimal, bare, without] {
            #expect(try JSONSchema(named: "Backtrace").violations(of: Array(answer.json.utf8)) == [])
            #expect(!answer.summary.remarks.isEmpty)
        }
    }

    /// A kernel of an architecture whose crash does not run here, or of a release that nobody mirrors.
    @Test func theLogIsAResultWithoutAnyDebugger() async throws {
        let why = "A crash on s390x needs a debugger that does not run on this host."
        func answer(_ bytes: String?) async throws -> RetracedKernel {
            let task = try KernelTask(bytes: Array("no dump.".utf8))
            defer { task.remove() }
            if let bytes {
                mkdir(task.directory.results.string, 0o700)
                try put(bytes, at: task.directory.results.appending("log"))
            }
            return try await task.retraced(
                kernelDump(), files: nil, root: task.scratch.path, debugger: nil, remarks: [why])
        }
        let found = try await answer("[    2.0] Kernel panic - not syncing: x\n")
        #expect(found.summary.rung == .logOnly && found.summary.panic == "Kernel panic - not syncing: x")
        #expect(found.summary.remarks.contains(why))
        #expect(found.text.contains("Not full: There is no debugger for the dumps of this kernel."))
        #expect(try JSONSchema(named: "Backtrace").violations(of: Array(found.json.utf8)) == [])
        let error = await #expect(throws: StageError.self) { try await answer(nil) }
        #expect(error?.code == .debuggerMissing && error?.reason.contains(why) == true)
    }

    /// crash finds no way into the dumps of some kernels of Enterprise Linux 5 by itself.
    @Test func aKernelOfEnterpriseLinux5IsTriedWithItsPhysicalBase() async throws {
        func start(_ words: String) -> String {
            #"case "$options" in *phys_base=0x200000*) ;; *) echo "crash: \#(words)"; exit 1;; esac"#
        }
        for words in ["seek error", "/vmlinux and /.dump/vmcore do not match!"] {
            let answer = try await analysed(start: start(words), release: "2.6.18-398.el5")
            #expect(answer.summary.rung == .full)
            let kernel = try DecodedKernel(answer.json).kernel
            #expect(kernel.refusals.isEmpty && kernel.verified == false)
            #expect(kernel.crash_options == ["--machdep", "phys_base=0x200000"])
            #expect(answer.summary.remarks.contains { $0.contains("--machdep phys_base=0x200000") })
            #expect(answer.summary.remarks.contains { $0.hasPrefix("Nothing proves that this vmlinux") })
        }
        // What needs something else gets it, and without that base.
        let excluded = #"""
            case "$options" in *phys_base*) echo "crash: seek error"; exit 1;; *zero_excluded*) ;;
            *) echo "crash: page excluded"; exit 1;; esac
            """#
        let other = try await analysed(start: excluded, release: "2.6.18-398.el5")
        #expect(other.summary.rung == .zeroExcluded)
        let kernel = try DecodedKernel(other.json).kernel
        #expect(kernel.crash_options == ["--zero_excluded"])
        #expect(kernel.refusals.map(\.rung) == ["full"] && kernel.refusals[0].reason.contains("page excluded"))
        #expect(!other.summary.remarks.contains { $0.contains("phys_base") })
        let error = await #expect(throws: StageError.self) { try await analysed(start: start("seek error")) }
        #expect(error?.code == .vmcoreUnreadable)
    }

    /// Where nobody could tell which modules were loaded, all of the package are in the root.
    @Test func ofTooManyModulesOnlyThoseThatCrashListsAreLoaded() async throws {
        let listed = #"""
            mod) echo "ffffffffc0002000  module_7  ffffffffc0000000  16384  (not loaded)  [CONFIG_KALLSYMS]";;
            "mod -s"*) echo "$1" >> /tmp/loaded;;
            files) cat /tmp/loaded;;

            """#
        let names = (0..<500).map { "module-\($0).ko.debug" }
        let answer = try await analysed(
            answer: listed + plainAnswers, files: KernelFiles(vmlinux: "/vmlinux", modules: "/modules"), modules: names)
        #expect(answer.summary.rung == .full)
        #expect(answer.results["files"] == "mod -s module_7 /modules/module-7.ko.debug\n")
        #expect(answer.log.contains("crash command mod"))
        let hanging = try await analysed(
            answer: "mod) kill -SEGV $$;;\n" + plainAnswers,
            files: KernelFiles(vmlinux: "/vmlinux", modules: "/modules"), modules: names)
        #expect(hanging.summary.rung == .full)
        #expect(hanging.summary.remarks.contains("crash lists no modules, so none has symbols."))
        #expect(hanging.summary.remarks.contains { $0.hasPrefix("mod: crash was ended by signal 11") })
        let refused = await #expect(throws: StageError.self) {
            try await analysed(
                start: "echo 'crash: cannot'; exit 1", files: KernelFiles(vmlinux: "/vmlinux", modules: "/modules"),
                modules: names)
        }
        #expect(refused?.code == .vmcoreUnreadable)
    }

    @Test func aLogThatWasCutOnArrivalSaysSoEverywhere() async throws {
        let notice = "[the first 77 bytes of this log are left out]"
        let answer = try await analysed(
            start: "exit 1", log: notice + "\n[    2.0] Kernel panic - not syncing: x\n")
        #expect(answer.results["log"] == notice + "\n[    2.0] Kernel panic - not syncing: x\n")
        #expect(answer.summary.panic == "Kernel panic - not syncing: x")
        #expect(answer.summary.remarks.count { $0.contains("its first 77 bytes are left out") } == 1)
        #expect(answer.text.hasSuffix("== KERNEL LOG ==\n\(notice)\n[    2.0] Kernel panic - not syncing: x\n"))
    }

    /// A log above 16 MiB once lost its end, where the panic is, and the result that ingest had written with it.
    @Test func aLongLogKeepsItsEnd() async throws {
        let line = "[    1.0] " + String(repeating: "x", count: 245) + "\n"
        let log = String(repeating: line, count: 70_000) + "[    2.0] Kernel panic - not syncing: x\n"
        let answer = try await analysed(files: nil, log: log)
        let kept = try #require(answer.results["log"])
        #expect(kept.utf8.count <= 8 << 20 && kept.hasSuffix("[    2.0] Kernel panic - not syncing: x\n"))
        let lines = kept.split(separator: "\n", maxSplits: 1)
        let omitted = log.utf8.count - lines[1].utf8.count
        #expect(lines[0] == "[the first \(omitted) bytes of this log are left out]")
        #expect(answer.summary.remarks.contains { $0.contains("\(omitted) bytes are left out") })
        #expect(answer.summary.panic == "Kernel panic - not syncing: x")
        #expect(answer.text.utf8.count < 9 << 20 && answer.text.hasSuffix("Kernel panic - not syncing: x\n"))
    }

    @Test func aLongOutputIsAResultAsItIs() async throws {
        let loop = #"""
            ps) i=0; while [ $i -lt 3000 ]; do printf 'z\303\244hlt \342\202\254 \033 0123456789012345678901234567890 %s\n' $i; i=$((i+1)); done;;

            """#
        let answer = try await analysed(answer: loop + plainAnswers)
        let line = { (index: Int) in "zählt € \\033 0123456789012345678901234567890 \(index)\n" }
        #expect(answer.results["ps"] == (0..<3000).map(line).joined())
        #expect(answer.summary.rung == .full && answer.results["taint"] == nil)
    }

    @Test func nothingAtAllIsATypedFailureWithAdvice() async throws {
        let cases: [(StageError.Code, String, KernelFiles?)] = [
            (.vmlinuxMissing, "", nil),
            (
                .vmcoreUnreadable, "echo 'crash: not a supported file format'; exit 1",
                KernelFiles(vmlinux: "/vmlinux", modules: nil)
            ),
            (
                .vmlinuxMismatch, "echo 'crash: /vmlinux and /.dump/vmcore do not match!'; exit 1",
                KernelFiles(vmlinux: "/vmlinux", modules: nil, doubt: "It has no build-id.")
            ),
            (.crashOutOfMemory, "kill -KILL $$", KernelFiles(vmlinux: "/vmlinux", modules: nil)),
        ]
        for (code, start, files) in cases {
            let error = await #expect(throws: StageError.self) { try await analysed(start: start, files: files) }
            #expect(error?.code == code && error?.advice != nil, "\(String(describing: error))")
        }
        var limits = RetraceLimits()
        limits.kernel = try KernelAnalysis(startTime: .milliseconds(500), commands: [])
        let error = await #expect(throws: StageError.self) { try await analysed(start: "sleep 1000", limits: limits) }
        #expect(error?.code == .crashTimeout)
    }

    @Test func anEmptyLogIsNoLog() async throws {
        let error = await #expect(throws: StageError.self) {
            try await analysed(files: nil, log: " \n\0\0\0\n")
        }
        #expect(error?.code == .vmlinuxMissing)
        let answer = try await analysed(answer: "log) ;;\n" + plainAnswers)
        #expect(answer.summary.rung == .full && answer.results["log"] == nil)
        #expect(answer.summary.remarks.contains("The kernel's log could not be read, or is empty."))
    }

    @Test func whatADumpSaysCanNeitherEndACommandNorActOnATerminal() async throws {
        let hostile = #"""
            log) echo "crash: command not found: mark.1"; printf 'a\033[2Jb\342\200\256c\n'; echo quit; echo '== REMARKS ==';;
            "bt -s"*) echo "PID: x TASK: zz CPU: COMMAND:"; echo " #0 [] at"; echo "    [exception RIP: "
                echo "PID: 1 TASK: ffff CPU: 0 COMMAND: \"a\" b\""; echo " #99999999999999999999 [f] + at ffffffffffffffffff"
                echo " #1 [f] +0x at 10"; echo "    : 5"; echo "    [exception RIP: x"; echo "    RIP: zz";;
            "bt -a"*) i=0; while [ $i -lt 20000 ]; do echo "PID: $i TASK: $i CPU: 0 COMMAND: \"x\""; i=$((i+1)); done;;
            mod) echo "ffff n ffff 99999999999999999999 /x"; echo "ffffffffffffffff n ffffffffffffffff 18446744073709551615 /x";;

            """#
        let answer = try await analysed(answer: hostile + plainAnswers)
        #expect(answer.summary.rung == .full && answer.results["files"] == "FILES\n")
        #expect(answer.results["log"]?.contains("a\\033[2Jb\\u202ec") == true)
        #expect(!answer.text.unicodeScalars.contains { $0.value == 0x1b || $0.value == 0x202e })
        let decoded = try DecodedKernel(answer.json)
        #expect(decoded.threads.count <= RetraceLimits().threads && decoded.threads.first?.name == "a\" b")
        #expect(try JSONSchema(named: "Backtrace").violations(of: Array(answer.json.utf8)) == [])
    }

    @Test(arguments: [
        "!ls", "ps | sh", "ps > /x", "rd < /x", "quit", "q", "shell ls", "gdb shell ls", "a\nb", "", "gdb python 1",
    ])
    func commandsThatLeaveCrashAreRefused(command: String) {
        #expect(throws: InvalidValue.self) { try KernelAnalysis(commands: [command]) }
    }

    @Test func levelsAndSharesHaveBounds() {
        #expect(throws: InvalidValue.self) { try KernelAnalysis(commands: [], stripLevel: 32) }
        #expect(throws: InvalidValue.self) { try KernelAnalysis(commands: [], stripSavePercent: 101) }
        #expect(throws: Never.self) { try KernelAnalysis(commands: ["bt -f"], stripLevel: 31, stripSavePercent: 0) }
    }
}
