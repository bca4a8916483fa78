import CrashModel
import Glibc
import JobMessages
import Logging
import RetraceStage
import ServiceRuntime
import Synchronization
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import retracer

/// A retracer that was cut off after its results, and gets the same job again.
@Suite struct RetraceHandlerTests {
    /// There is neither a root nor a debugger, so nothing can be analysed.
    private func job(_ directory: TaskDirectory, file: String = "vmcore") throws -> RetraceJob {
        let kernel = KernelDump(format: .kdump, release: nil, releaseEvidence: "The test says so.", file: file)
        return RetraceJob(
            task: directory.task,
            crash: Crash(
                kind: .vmcore, architecture: .x86_64, reported: ReportedCrash(), executable: "/boot/vmlinuz",
                threadCount: 0, modules: [], kernel: kernel),
            resolution: Resolution(
                releaseID: try ReleaseID("debian-12-x86_64"), releaseEvidence: "The test says so.", modules: [],
                packages: []),
            chroot: Chroot(
                crashRoot: "/nowhere",
                debugger: DebuggerRoot(
                    directory: "/nowhere", executable: "/crash", loader: "/ld", libraryPath: [], dataDirectory: nil,
                    pythonHome: nil,
                    package: try NEVRA(name: "crash", version: "8", release: "1", architecture: "amd64")
                )))
    }

    private func context(_ told: Told = Told()) -> JobContext {
        JobContext(attempt: 1, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })) {
            text, _, _ in
            told.all.withLock { $0.append(text) }
        }
    }

    private final class Told: Sendable {
        let all = Mutex<[String]>([])
    }

    /// A task with a dump, and with results unless it is said otherwise.
    private func task(in spool: FilePath, isKept: Bool, isAnalysed: Bool = true) throws -> TaskDirectory {
        let directory = try TaskDirectory.create(in: spool)
        if isKept { try directory.keepDump() }
        try DebianArchive.makeDirectories(directory.crash)
        try FolderContents.write("dump".utf8, to: directory.crash.appending("vmcore"))
        if isAnalysed { try FolderContents.write("frames".utf8, to: directory.backtrace) }
        return directory
    }

    private func handler(_ spool: FilePath, store: FilePath = "/nowhere") -> JobHandler<RetraceJob> {
        retraceHandler(spool: spool, store: store, limits: RetraceLimits())
    }

    @Test func keptDumpThatWasAnalysedIsNotAnalysedAgainAndStays() async throws {
        try await ScratchDirectory.with { scratch in
            let store = scratch.appending("store")
            let directory = try task(in: scratch, isKept: true)
            let root = store.appending("roots/\(directory.task)")
            try DebianArchive.makeDirectories(root)
            let outcome = try await handler(scratch, store: store).stage(job(directory), context())
            #expect(outcome.message == "The backtrace is ready." && outcome.next.isEmpty)
            #expect(FolderContents.names(in: directory.path) == ["backtrace", "crash", "keep-dump"])
            #expect(FolderContents.names(in: directory.crash) == ["vmcore"])
            #expect(FolderContents.names(in: store.appending("roots")) == [directory.task.description])
            #expect(try FolderContents.read(directory.backtrace) == Array("frames".utf8))
        }
    }

    @Test func dumpElsewhereOnTheServerIsNotAnalysedAgainAndStays() async throws {
        try await ScratchDirectory.with { scratch in
            let dump = try FolderContents.write("dump".utf8, to: scratch.appending("server-vmcore"))
            let directory = try task(in: scratch, isKept: false)
            let outcome = try await handler(scratch).stage(job(directory, file: dump.string), context())
            #expect(outcome.message == "The backtrace is ready.")
            #expect(try FolderContents.read(dump) == Array("dump".utf8))
        }
    }

    @Test func whatTheCutOffAttemptLeftIsRemoved() async throws {
        try await ScratchDirectory.with { scratch in
            let store = scratch.appending("store")
            let directory = try task(in: scratch, isKept: false)
            try DebianArchive.makeDirectories(store.appending("roots/\(directory.task)/usr"))
            _ = try await handler(scratch, store: store).stage(job(directory), context())
            #expect(FolderContents.names(in: directory.path) == ["backtrace"])
            #expect(FolderContents.names(in: store.appending("roots")) == [])
        }
    }

    @Test func withoutABacktraceItIsAnalysed() async throws {
        try await ScratchDirectory.with { scratch in
            for isKept in [true, false] {
                let directory = try task(in: scratch, isKept: isKept, isAnalysed: false)
                let job = try job(directory)
                await #expect(throws: StageError.self) { try await handler(scratch).stage(job, context()) }
            }
        }
    }

    @Test func equalDumpsThatAreKeptBecomeOneAfterTheEnd() async throws {
        try await ScratchDirectory.with { scratch in
            let (first, second) = (try task(in: scratch, isKept: true), try task(in: scratch, isKept: true))
            let other = try task(in: scratch, isKept: false)
            let afterwards = try #require(handler(scratch).afterwards)
            let told = Told()
            for directory in [first, second, second, other] { try await afterwards(job(directory), context(told)) }
            let inodes = [first, second, other].map { FolderContents.status($0.crash.appending("vmcore"))?.inode }
            #expect(inodes[0] == inodes[1] && inodes[1] != inodes[2])
            #expect(told.all.withLock { $0.count } == 1)
        }
    }
}
