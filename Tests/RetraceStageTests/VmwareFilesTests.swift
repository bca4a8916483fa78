import CrashModel
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

@Suite("VMware's two files in crash's sandbox, by a stand-in for crash", .enabled(if: StandInCrash.isPossible))
struct VmwareFilesTests {
    /// Tells what crash was started with, and what it sees where its dump is.
    private static let answers =
        #"""
        "foreach bt") echo "started with $options"
                for file in /.dump/*; do echo "$file:"; cat "$file"; done;;
        """# + "\n" + plainAnswers

    /// Analyses a pair that is called so: in the task, or where it lies.
    private func seen(_ file: String, _ memory: String, in task: KernelTask) async throws -> String {
        let kernel = KernelDump(
            format: .vmware, release: try KernelRelease("6.1.0-56-cloud-amd64"),
            releaseEvidence: "The test says so.", file: file, memoryFile: memory)
        try put("the state\n", at: task.directory.vmcore(kernel))
        try put("the memory\n", at: task.directory.dump(at: memory))
        let root = task.scratch.path.appending("root")
        mkdir(root.string, 0o755)
        try put("no vmlinux", at: root.appending("vmlinux"))
        let crash = try await StandInCrash(in: task.scratch.path, answer: Self.answers)
        var limits = RetraceLimits()
        limits.kernel = try KernelAnalysis(commands: ["foreach bt"])
        let answer = try await task.retraced(
            kernel, files: KernelFiles(vmlinux: "/vmlinux", modules: nil), root: root, debugger: crash.root,
            limits: limits)
        #expect(answer.summary.rung == .full)
        return try #require(answer.results["foreach-bt"])
    }

    private func isPair(_ text: String, _ name: String, _ suffix: String) -> Bool {
        text.hasPrefix("started with ") && text.contains(" /.dump/\(name).\(suffix)\n")
            && text.hasSuffix("\n/.dump/\(name).vmem:\nthe memory\n/.dump/\(name).\(suffix):\nthe state\n")
    }

    @Test(arguments: ["vmss", "vmsn"]) func pairInTheTaskIsSeenWithItsContent(_ suffix: String) async throws {
        let task = try KernelTask()
        defer { task.remove() }
        let text = try await seen("vmcore.\(suffix)", "vmcore.vmem", in: task)
        #expect(isPair(text, "vmcore", suffix), "\(text)")
    }

    /// Not linked, because it is on another file system; seen all the same, and under names that belong together.
    @Test(arguments: ["machine.vmss", "machine"])
    func pairElsewhereOnTheServerIsSeenWithItsContent(_ name: String) async throws {
        let task = try KernelTask()
        defer { task.remove() }
        let theirs = task.scratch.path.appending("theirs")
        mkdir(theirs.string, 0o755)
        let text = try await seen(
            theirs.appending(name).string, theirs.appending("machine.vmem").string, in: task)
        #expect(isPair(text, "machine", "vmss"), "\(text)")
        #expect(FolderContents.names(in: task.directory.crash) == [])
    }
}
