import CrashModel
import Glibc
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

@Suite(
    "Kept dumps are stripped", .serialized,
    .enabled(
        if: KernelLab.isThere && access("/usr/bin/makedumpfile", X_OK) == 0, "no dumps in ../lab or no makedumpfile"))
struct StripTests {
    private func stripped(
        _ level: Int, saving percent: Int = 10, kept: Bool = true, dumpLevel: Int? = nil,
        files: KernelFiles? = KernelLab.files(), dump: FilePath = KernelLab.dump
    ) async throws -> (strip: DumpStrip, bytes: Int, names: [String], isWhole: Bool) {
        let task = try await KernelTask(dump)
        defer { task.remove() }
        if kept { try task.directory.keepDump() }
        var limits = RetraceLimits()
        limits.kernel = try KernelAnalysis(commands: [], stripLevel: level, stripSavePercent: percent)
        let kernel = try kernelDump(dumpLevel: dumpLevel)
        let chroot = Chroot(crashRoot: KernelLab.root.string, debugger: KernelLab.hostCrash, kernel: files)
        let strip = await stripKeptDump(of: task.crash(kernel), in: chroot, directory: task.directory, limits: limits)
        let file = try #require(try ResultFile(at: task.directory.vmcore(kernel)))
        let answer = try await task.retraced(kernel, files: KernelLab.files(), root: KernelLab.root)
        return (
            strip, file.byteCount, try TaskDirectory.names(in: task.directory.path).sorted(),
            answer.summary.crashFunction == "sysrq_handle_crash"
        )
    }

    @Test func whatIsSavedIsEnoughAndTheDumpStillTellsTheSame() async throws {
        let before = try #require(try ResultFile(at: KernelLab.dump)).byteCount
        let answer = try await stripped(31)
        #expect(answer.strip == .stripped(bytesBefore: before, bytesAfter: answer.bytes), "\(answer.strip)")
        #expect(answer.bytes < before / 2 && answer.isWhole)
        #expect(!answer.names.contains { $0.hasPrefix("session") })
        #expect(try #require(try ResultFile(at: KernelLab.dump)).byteCount == before, "the lab's own dump is untouched")
    }

    @Test func whatSavesTooLittleIsRemoved() async throws {
        let answer = try await stripped(31, saving: 90)
        guard case .refused(let reason) = answer.strip else {
            Issue.record("\(answer.strip)")
            return
        }
        #expect(reason.contains("90 percent") && !answer.names.contains { $0.hasPrefix("session") })
        #expect(answer.bytes == (try ResultFile(at: KernelLab.dump))?.byteCount && answer.isWhole)
    }

    @Test func nothingIsDoneWhereNothingIsWantedOrKnown() async throws {
        let task = try await KernelTask(KernelLab.dump)
        defer { task.remove() }
        func strip(_ level: Int, dumpLevel: Int? = nil, files: KernelFiles? = KernelLab.files()) async throws
            -> DumpStrip
        {
            var limits = RetraceLimits()
            limits.kernel = try KernelAnalysis(commands: [], stripLevel: level)
            return await stripKeptDump(
                of: task.crash(try kernelDump(dumpLevel: dumpLevel)),
                in: Chroot(crashRoot: KernelLab.root.string, debugger: KernelLab.hostCrash, kernel: files),
                directory: task.directory, limits: limits)
        }
        #expect(try await strip(31) == .notWanted, "the dump is not kept")
        try task.directory.keepDump()
        #expect(try await strip(0) == .notWanted)
        #expect(try await strip(17, dumpLevel: 31) == .notWanted)
        for files in [nil, KernelLab.files(doubt: "It may be another.")] {
            guard case .refused = try await strip(31, files: files) else {
                Issue.record("It was stripped with symbols that nobody trusts.")
                return
            }
        }
    }
}
