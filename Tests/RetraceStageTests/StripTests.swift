import CrashModel
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

@Suite(
    "Kept dumps are stripped", .serialized, .enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1"))
struct StripTests {
    private func strip(
        _ task: KernelTask, of kernel: RealKernel, level: Int = 31, saving percent: Int = 10, dumpLevel: Int? = nil,
        files: KernelFiles?, freeBytes: UInt64 = .max
    ) async throws -> DumpStrip {
        var limits = RetraceLimits()
        limits.kernel = try KernelAnalysis(commands: [], stripLevel: level, stripSavePercent: percent)
        return await stripKeptDump(
            of: task.crash(try kernel.dumpWithoutBuildID(.elf, dumpLevel: dumpLevel)), in: kernel.chroot(files),
            directory: task.directory, limits: limits, freeBytes: { _ in freeBytes })
    }

    /// What the dump takes of the disk.
    private func bytes(in task: KernelTask) throws -> Int {
        try #require(try ResultFile(at: task.directory.crash.appending("vmcore"))).allocatedBytes
    }

    private func reason(_ strip: DumpStrip) -> String {
        if case .refused(let reason) = strip { reason } else { "" }
    }

    private func isUntouched(_ task: KernelTask, _ bytes: Int, _ inode: UInt64?) throws -> Bool {
        let hasSession = try TaskDirectory.names(in: task.directory.path).contains { $0.hasPrefix("session") }
        let file = FolderContents.status(task.directory.crash.appending("vmcore"))
        return !hasSession && file?.inode == inode && file?.allocated == Int64(bytes)
    }

    /// With the whole memory of the machine, as /proc/vmcore had it.
    private func keptTask(of kernel: RealKernel) async throws -> (task: KernelTask, bytes: Int) {
        let task = try await KernelTask(kernel.dumps.dump("raw"))
        try task.directory.keepDump()
        return (task, try bytes(in: task))
    }

    @Test func whatIsSavedIsEnoughAndTheDumpStillTellsTheSame() async throws {
        let kernel = try await RealKernel.made()
        let (task, before) = try await keptTask(of: kernel)
        defer { task.remove() }
        let raw = try #require(try ResultFile(at: kernel.dumps.dump("raw"))).version
        let strip = try await self.strip(task, of: kernel, files: kernel.files())
        let after = try bytes(in: task)
        #expect(strip == .stripped(bytesBefore: before, bytesAfter: after), "\(strip)")
        #expect(after < before / 2)
        #expect(try !TaskDirectory.names(in: task.directory.path).contains { $0.hasPrefix("session") })
        // It may have been linked into the task.
        #expect(try #require(try ResultFile(at: kernel.dumps.dump("raw"))).version == raw)
        let answer = try await task.retraced(
            kernel.dump(), files: kernel.files(), root: kernel.root, debugger: kernel.debugger)
        #expect(answer.summary.rung == .full && answer.summary.crashFunction == "sysrq_handle_crash")
    }

    @Test func whatSavesTooLittleIsRemoved() async throws {
        let kernel = try await RealKernel.made()
        let (task, before) = try await keptTask(of: kernel)
        defer { task.remove() }
        let inode = FolderContents.status(task.directory.crash.appending("vmcore"))?.inode
        for percent in [91, 100] {
            let strip = try await self.strip(task, of: kernel, saving: percent, files: kernel.files())
            #expect(reason(strip).contains("\(percent) percent"), "\(strip)")
            #expect(try isUntouched(task, before, inode))
        }
    }

    /// Once the holes counted as savings, and a sparse dump gave way to one that took as much or more.
    @Test func holesAreNoSpaceThatCouldBeSaved() async throws {
        let kernel = try await RealKernel.made()
        let task = try KernelTask(kernel.dumps.dump("zlib"), cutAt: .max)
        defer { task.remove() }
        try task.directory.keepDump()
        let dump = task.directory.crash.appending("vmcore")
        #expect(truncate(dump.string, 16 << 30) == 0)
        let (before, inode) = (try bytes(in: task), FolderContents.status(dump)?.inode)
        #expect(before < 64 << 20)
        let strip = try await self.strip(task, of: kernel, files: kernel.files())
        #expect(reason(strip).contains("10 percent"), "\(strip)")
        #expect(try isUntouched(task, before, inode))
    }

    /// The spool is everybody's.
    @Test(arguments: [0, 4 << 20, 1 << 30, (1 << 30) + (4 << 20)] as [UInt64])
    func whatFindsNoSpaceIsNotStripped(_ free: UInt64) async throws {
        let kernel = try await RealKernel.made()
        let (task, before) = try await keptTask(of: kernel)
        defer { task.remove() }
        let inode = FolderContents.status(task.directory.crash.appending("vmcore"))?.inode
        let strip = try await self.strip(task, of: kernel, files: kernel.files(), freeBytes: free)
        #expect(reason(strip).contains("no space"), "\(strip)")
        #expect(try isUntouched(task, before, inode))
    }

    @Test func nothingIsDoneWhereNothingIsWantedOrKnown() async throws {
        let kernel = try await RealKernel.made()
        let task = try await KernelTask(kernel.dumps.dump("raw"))
        defer { task.remove() }
        #expect(try await strip(task, of: kernel, files: kernel.files()) == .notWanted, "the dump is not kept")
        try task.directory.keepDump()
        let mark = task.directory.crash.appending(TaskDirectory.linkedDumpMark)
        try put("", at: mark)
        #expect(try await strip(task, of: kernel, files: kernel.files()) == .notWanted, "the dump is an operator's")
        #expect(unlink(mark.string) == 0)
        #expect(try await strip(task, of: kernel, level: 0, files: kernel.files()) == .notWanted)
        #expect(try await strip(task, of: kernel, level: 17, dumpLevel: 31, files: kernel.files()) == .notWanted)
        for files in [nil, kernel.files(doubt: "It may be another.")] {
            guard case .refused = try await strip(task, of: kernel, files: files) else {
                Issue.record("It was stripped with symbols that nobody trusts.")
                return
            }
        }
    }
}
