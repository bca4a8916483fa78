import CrashModel
import Glibc
import RetraceStage
import Sandbox
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite("A kept dump of a kernel is opened as the analysis read it", .enabled(if: StandInCrash.isPossible))
struct InteractiveKernelTests {
    /// Analyses a dump by a stand-in for crash, then opens it.
    private func opened(
        start: String, release: String = "6.1.0-56-cloud-amd64", modules: [String] = []
    ) async throws -> (options: [String], commands: String) {
        let task = try KernelTask(bytes: Array("no dump.".utf8))
        defer { task.remove() }
        let root = task.scratch.path.appending("root")
        for folder in [root, root.appending("modules")] { mkdir(folder.string, 0o755) }
        try put("no vmlinux", at: root.appending("vmlinux"))
        for name in modules { try put("", at: root.appending("modules").appending(name)) }
        let crash = try await StandInCrash(in: task.scratch.path, start: start, answer: plainAnswers)
        let (kernel, files) = (try kernelDump(release: release), KernelFiles(vmlinux: "/vmlinux", modules: "/modules"))
        _ = try await task.retraced(kernel, files: files, root: root, debugger: crash.root)
        let analysed = task.crash(kernel)
        let session = try await InteractiveSession.prepared(
            .crash, arguments: [], for: analysed, try resolution(of: analysed),
            in: Chroot(crashRoot: root.string, debugger: crash.root, kernel: files), directory: task.directory,
            terminal: nil, memoryBytes: nil, user: RetraceLimits().user)
        let arguments = session.command.arguments
        let script = try #require(arguments.firstIndex(of: "/.commands"))
        return (
            Array(arguments[(script + 1)...].dropLast(2)),
            try contents(of: task.directory.path.appending("interact.commands"))
        )
    }

    @Test func withTheOptionsThatTheAnalysisNeeded() async throws {
        #expect(try await opened(start: "").options == [])
        let excluded = #"case "$options" in *zero_excluded*) ;; *) echo "crash: page excluded"; exit 1;; esac"#
        #expect(try await opened(start: excluded).options == ["--zero_excluded"])
        let base = #"case "$options" in *phys_base*) ;; *) echo "crash: seek error"; exit 1;; esac"#
        #expect(
            try await opened(start: base, release: "2.6.18-398.el5").options == ["--machdep", "phys_base=0x200000"])
    }

    @Test func withTheModulesThatCrashListedWhereThePackageHasAll() async throws {
        let all = (0..<500).map { "module-\($0).ko.debug" } + ["culprit-mod.ko.debug"]
        let commands = try await opened(start: "", modules: all).commands
        #expect(commands.contains("mod -s culprit_mod /modules/culprit-mod.ko.debug > /dev/null\n"))
        #expect(!commands.contains("module_7"))
    }
}
