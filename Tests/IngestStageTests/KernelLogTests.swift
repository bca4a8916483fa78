import CrashModel
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import IngestStage

/// The log that ingest reads out of a kernel's dump, and what it makes of it.
@Suite struct KernelLogTests {
    private static let hasTools = ["/usr/bin/makedumpfile", "/usr/bin/bwrap"].allSatisfy { (path: String) in
        access(path, X_OK) == 0
    }
    /// What `.ci/make-vmcore` makes for the tests.
    private static let made = Checkout.path(".build/vmcores/vmcore.zlib")

    private func crash(_ format: VmcoreFormat = .elf, file: String = "vmcore") throws -> Crash {
        Crash(
            kind: .vmcore, architecture: .x86_64, reported: ReportedCrash(), executable: "/boot/vmlinuz-x",
            threadCount: 0, modules: [], remarks: ["There was a remark."],
            kernel: KernelDump(
                format: format, release: try KernelRelease("6.1.0"), releaseEvidence: "The test says so.", file: file))
    }

    /// A task with a dump; the sandbox's user may come to it.
    private func withTask(_ dump: [UInt8]?, _ body: (TaskDirectory) async throws -> Void) async throws {
        try await ScratchDirectory.with { spool in
            chmod(spool.string, 0o755)
            let directory = try TaskDirectory.create(in: spool)
            try FileSystemSetup.makeDirectory(directory.crash)
            if let dump { try FolderContents.write(dump, to: directory.crash.appending("vmcore")) }
            try await body(directory)
        }
    }

    @Test func whatMakedumpfileDoesNotReadIsLeftAlone() async throws {
        try await withTask(sampleVmcore()) { directory async throws in
            let snapshot = try crash(.vmware)
            #expect(try await readKernelLog(of: snapshot, in: directory, makedumpfile: "/usr/bin/absent") == snapshot)
            #expect(FolderContents.names(in: directory.path) == ["crash"])
        }
    }

    @Test func hostWithoutMakedumpfileIsNamedInTheResult() async throws {
        try await withTask(sampleVmcore()) { directory async throws in
            let answer = try await readKernelLog(of: try crash(), in: directory, makedumpfile: "/usr/bin/absent")
            #expect(answer.remarks.count == 2 && answer.remarks.first == "There was a remark.")
            #expect(answer.remarks.last?.contains("makedumpfile is not installed on the host of ingest") == true)
            #expect(try answer.kernel == crash().kernel)
            #expect(FolderContents.names(in: directory.path) == ["crash"])
        }
    }

    @Test(.enabled(if: hasTools), arguments: [true, false])
    func dumpThatCannotBeReadIsARemark(_ isThere: Bool) async throws {
        try await withTask(nil) { directory async throws in
            if isThere { try FileSystemSetup.makeDirectory(directory.crash.appending("vmcore")) }
            let answer = try await readKernelLog(of: try crash(), in: directory)
            #expect(answer.remarks.count == 2)
            #expect(answer.remarks.last?.hasPrefix("The kernel's log could not be read on arrival: ") == true)
            #expect(answer.remarks.last?.hasSuffix(".") == true && answer.remarks.last?.contains("/") == false)
            #expect(FolderContents.names(in: directory.path) == ["crash"])
        }
    }

    @Test(.enabled(if: hasTools)) func dumpWithoutALogLeavesTheCrashAsItIs() async throws {
        for dump in [sampleVmcore(), Array("no dump".utf8), [UInt8](repeating: 0, count: 1 << 20)] {
            try await withTask(dump) { directory async throws in
                #expect(try await readKernelLog(of: try crash(), in: directory) == crash())
                #expect(FolderContents.names(in: directory.path) == ["crash"])
            }
        }
    }

    @Test(.enabled(if: hasTools && access(made.string, R_OK) == 0, "make test makes .build/vmcores"))
    func logOfAMadeDumpIsAResultAndTellsThePanic() async throws {
        try await withTask(nil) { directory async throws in
            let answer = try await readKernelLog(of: try crash(.kdump, file: Self.made.string), in: directory)
            #expect(answer.remarks == ["There was a remark."])
            #expect(answer.kernel?.panic == "Kernel panic - not syncing: sysrq triggered crash")
            #expect(answer.kernel?.file == Self.made.string)
            let text = String(decoding: try FolderContents.read(directory.kernelLog), as: UTF8.self)
            #expect(text.hasPrefix("[    0.000000] Linux version ") && text.contains("sysrq: Trigger a crash"))
            #expect(FolderContents.names(in: directory.path) == ["crash", "results"])
            #expect(FolderContents.names(in: directory.results) == ["log"])
        }
    }

    @Test func logThatIsNotWholeSaysSoInItsFirstLine() async throws {
        try await withTask(nil) { directory async throws in
            let log = KernelLog(Array("[    9.0] the end\n".utf8), omittedBytes: 12_345)
            try keep(log, in: directory)
            let text = String(decoding: try FolderContents.read(directory.kernelLog), as: UTF8.self)
            #expect(text == "[the first 12345 bytes of this log are left out]\n[    9.0] the end\n")
            #expect(try KernelLog(at: directory.kernelLog) == log)
            // A second delivery of the job writes it anew.
            try keep(KernelLog(Array("short\n".utf8)), in: directory)
            #expect(try FolderContents.read(directory.kernelLog) == Array("short\n".utf8))
        }
    }

    @Test func panicIsTheReasonAndOtherwiseTheFirstOops() {
        func panic(_ log: String) -> String? { KernelLogFacts(Array(log.utf8)).panic }
        #expect(panic("") == nil && panic("\n\n\n") == nil && panic("a\nb") == nil)
        #expect(panic("[    1.0] BUG: one\n[    2.0] Oops: two\n") == "BUG: one")
        #expect(
            panic("[    1.0] Oops: two\n[    2.0] Kernel panic - not syncing: x") == "Kernel panic - not syncing: x")
        #expect(
            panic("[ 1.0] Kernel panic - not syncing: x\n[ 2.0] Kernel panic - not syncing: y")
                == "Kernel panic - not syncing: x")
        #expect(panic("BUG: no time\n[ 1.0] Kernel pan") == "BUG: no time")
        #expect(panic("[ 1.0] not a BUG: x\n[ 1.0 BUG: y\n[\n]\n[]") == nil)
        #expect(panic("[ 1.0] BUG: a\u{1b}[2J\u{202e}b") == "BUG: a?[2J?b")
        #expect(panic("[ 1.0] BUG: " + String(repeating: "x", count: 1000))?.count == 200)
    }

    /// Four million lines were once an array of 128 MiB and more.
    @Test func logOfMillionsOfLinesTakesNoMemoryButItsOwn() async {
        await #expect(processExitsWith: .success) {
            var log = [UInt8](repeating: UInt8(ascii: "\n"), count: KernelLog.maximumBytes)
            for index in stride(from: 0, to: log.count, by: 2) { log[index] = UInt8(ascii: "a") }
            let growth = try PeakMemory.growth {
                guard KernelLogFacts(log).panic == nil else { throw Errno.badMessage }
            }
            guard growth < 16 << 20 else { exit(EXIT_FAILURE) }
        }
    }
}
