import Sandbox
import Subprocess
import SystemPackage
import TestFixtures
import Testing

@Suite("The guardian of a test's stack")
struct GuardianTests {
    @Test func endsAndRemovesWhatADeadTestLeft() async throws {
        let scratch = try ScratchDirectory()
        defer { scratch.remove() }
        let directory = scratch.path.appending("stack")
        try DebianArchive.makeDirectories(directory)
        async let service = runTool(
            ["sleep", "1000"], environment: ["RETRACE_SPOOL": "\(directory)/spool"],
            limits: SandboxLimits(wallTime: .seconds(60)))
        while Guardian(directory: directory).survivors().isEmpty { await Task.yield() }
        // The test's end of the pipe closes without a word, as it does when the kernel closes it.
        _ = try await run(
            .path("/bin/sh"), arguments: ["-c", Guardian.script, directory.string], input: .inputWriter,
            output: .discarded, error: .discarded
        ) { try await $0.standardInputWriter.finish() }
        #expect(try await service.termination == .signalled(9))
        #expect(FolderContents.status(directory) == nil)
    }

    @Test func doesNothingWhenTheTestEndedWell() async throws {
        let scratch = try ScratchDirectory()
        defer { scratch.remove() }
        let value = try await Guardian(directory: scratch.path).watching { 7 }
        #expect(value == 7 && FolderContents.status(scratch.path) != nil)
    }
}
