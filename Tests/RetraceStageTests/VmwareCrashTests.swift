import Coredumps
import CrashModel
import ELF
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

@Suite(
    "A real kernel in VMware's two files, by crash(8)", .serialized,
    .enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1"))
struct VmwareCrashTests {
    /// In the task, and where an operator has them; there also under names that crash would not look for.
    @Test(arguments: ["task", "machine.vmsn", "suspended"])
    func theFunctionThatPanickedIsFoundInTheMemoryBesideTheSnapshot(_ place: String) async throws {
        let kernel = try await RealKernel.made()
        let task = try KernelTask()
        defer { task.remove() }
        var files = (snapshot: "vmcore.vmss", memory: "vmcore.vmem")
        if place != "task" {
            let folder = task.scratch.path.appending("theirs")
            mkdir(folder.string, 0o755)
            files = (folder.appending(place).string, folder.appending("machine.vmem").string)
        }
        let (snapshot, memory) = (
            task.directory.dump(at: files.snapshot), task.directory.dump(at: files.memory)
        )
        try MadeVmwareMachine.make(of: kernel.dumps.dump("raw"), snapshot: snapshot, memory: memory)
        // What ingest says of the two.
        let told = try readVmcore(
            FileByteSource(snapshot), file: files.snapshot, memory: (FileByteSource(memory), files.memory))
        #expect(told.dump.format == .vmware && told.dump.release?.description == kernel.dumps.release)
        #expect(told.architecture == .x86_64 && told.dump.incompleteness == nil)
        let answer = try await task.retraced(
            told.dump, files: kernel.files(), root: kernel.root, debugger: kernel.debugger)
        #expect(answer.summary.rung == .full && answer.summary.crashFunction == "sysrq_handle_crash", "\(answer.log)")
        #expect(answer.summary.panic == "Kernel panic - not syncing: sysrq triggered crash")
        #expect(answer.results["log"]?.contains("sysrq: Trigger a crash") == true)
        let frame = try #require(
            try DecodedKernel(answer.json).threads.first?.frames.first { $0.function == "sysrq_handle_crash" })
        #expect(frame.file?.hasSuffix("drivers/tty/sysrq.c") == true)
    }
}
