import CrashModel
import Glibc
import RetraceStage
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite("Dumps on the server that the debugger's user may not read")
struct UnreadableDumpTests {
    private func failure(of task: KernelTask, dump: String) async -> StageError? {
        let kernel = KernelDump(format: .kdump, release: nil, releaseEvidence: "The test says so.", file: dump)
        return await #expect(throws: StageError.self) {
            // Nothing is ever started in it.
            let debugger = DebuggerRoot(
                directory: "/usr", executable: "/bin/crash", loader: "/lib/ld", libraryPath: ["/lib"],
                dataDirectory: nil, pythonHome: nil, package: nevra("crash"))
            _ = try await task.retraced(kernel, files: nil, root: task.scratch.path, debugger: debugger)
        }
    }

    private func facts(_ path: FilePath) -> [UInt64] {
        var facts = stat()
        guard lstat(path.string, &facts) == 0 else { return [] }
        return [UInt64(facts.st_mode), UInt64(facts.st_uid), UInt64(facts.st_gid), UInt64(facts.st_ino)]
    }

    /// A service that is root may read everything itself, and runs the debugger as nobody.
    @Test func dumpThatStaysWhereItLiesIsAFailureThatSaysWhatToDo() async throws {
        let task = try KernelTask()
        defer { task.remove() }
        let dump = task.scratch.path.appending("server-vmcore")
        try put("KDUMP   ", at: dump, mode: geteuid() == 0 ? 0o600 : 0)
        let before = facts(dump)
        let error = await failure(of: task, dump: dump.string)
        #expect(error?.code == .dumpUnreadable && error?.disposition == .failed, "\(String(describing: error))")
        #expect(error?.advice?.contains("readable") == true)
        #expect(facts(dump) == before, "what is not ours is not changed")
        #expect(try contents(of: task.directory.log).contains("may not read the dump"))
        #expect(FolderContents.names(in: task.directory.path) == ["crash", "retrace-log"])
    }

    @Test(.enabled(if: geteuid() == 0, "whoever is not root runs the debugger as himself"))
    func linkedDumpOfAnotherOwnerIsNeitherReadNorChanged() async throws {
        let task = try KernelTask()
        defer { task.remove() }
        let dump = task.scratch.path.appending("server-vmcore")
        try put("KDUMP   ", at: dump, mode: 0o600)
        #expect(link(dump.string, task.directory.crash.appending("vmcore").string) == 0)
        let before = facts(dump)
        #expect(await failure(of: task, dump: "vmcore")?.code == .dumpUnreadable)
        #expect(facts(dump) == before)
    }
}
