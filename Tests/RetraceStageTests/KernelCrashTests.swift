import CrashModel
import ELF
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

@Suite("Real dumps of a real kernel, by crash(8)", .serialized, .enabled(if: KernelLab.isThere, "no dumps in ../lab"))
struct KernelCrashTests {
    private static func buildID() throws -> String {
        let file = try ELFFile(FileByteSource(FilePath(KernelLab.root.string + KernelLab.vmlinux)))
        return try #require(try file.identity().buildID).description
    }

    @Test func theFunctionThatPanickedHasItsFileAndLine() async throws {
        let task = try await KernelTask(KernelLab.dump)
        defer { task.remove() }
        let told = Told()
        let answer = try await task.retraced(
            kernelDump(buildID: Self.buildID()), files: KernelLab.files(), root: KernelLab.root,
            progress: { told.add($0) })
        print(answer.text)
        print(answer.log)
        print(answer.json.prefix(6000))
        #expect(answer.summary.rung == .full && answer.summary.quality == .full)
        #expect(answer.summary.panic == "Kernel panic - not syncing: sysrq triggered crash")
        #expect(answer.summary.crashFunction == "sysrq_handle_crash")
        #expect(told.all.first?.hasPrefix("The kernel's log is ready") == true, "\(told.all)")
        #expect(
            Set(answer.results.keys) == ["log", "sys", "bt", "bt-a", "ps", "mod", "mount", "files"],
            "\(answer.results.keys)")
    }
}

import Synchronization

/// The sentences of progress, in order.
final class Told: Sendable {
    private let sentences = Mutex<[String]>([])
    func add(_ sentence: String) { sentences.withLock { $0.append(sentence) } }
    var all: [String] { sentences.withLock(\.self) }
}
