import CrashModel
import Glibc
import Sandbox
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

private let tiny = "int main(void) { int bait = 7; *(volatile int *)0 = bait; return 0; }"

private let frame = "Thread 1 (LWP 1):\n#0  main () at demo.c:1\n"

@Suite("gdb that fails, and cores that are hostile", .enabled(if: CrashedProgram.possible))
struct LimitTests {
    @Test func gdbThatHangsIsATypedFailure() async throws {
        try await check("sleep 1000", wallTime: .milliseconds(300), fails: .gdbTimeout)
    }

    @Test func gdbThatHangsAfterItsFramesIsAPartialSuccess() async throws {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        var limits = RetraceLimits()
        // Long enough for the stand-in to start on a busy host.
        limits.sandbox.wallTime = .seconds(15)
        let answer = try await crashed.retraced(
            with: crashed.standIn("cat <<'EOF'\n\(frame)EOF\nsleep 1000"), limits: limits)
        #expect(answer.summary.remarks.contains { $0.contains("stopped after") })
        #expect(answer.summary.frames == 1 && answer.summary.crashFunction == "main")
        #expect(answer.text.contains("#0  main () at demo.c:1") && answer.text.contains("== REMARKS =="))
        #expect(try DecodedBacktrace(answer.json).remarks == answer.summary.remarks)
    }

    @Test(arguments: [60, 100] as [UInt64])
    func gdbWithoutMemoryIsATypedFailure(megabytes: UInt64) async throws {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        var limits = RetraceLimits()
        limits.sandbox.memoryBytes = megabytes << 20
        limits.sandbox.wallTime = .seconds(60)
        let error = await #expect(throws: StageError.self) { _ = try await crashed.retraced(limits: limits) }
        // Once in a while a gdb that gets no memory for a thread waits for that thread.
        #expect(
            error?.code == .gdbOutOfMemory || error?.code == .gdbTimeout,
            "\(String(describing: error)) \(error?.toolOutput ?? "")")
        try await check("kill -KILL $$", fails: .gdbOutOfMemory)
    }

    @Test func aFloodWithoutFramesFailsAndOneAfterFramesIsCut() async throws {
        var limits = RetraceLimits()
        limits.sandbox.outputBytes = 100_000
        try await check("cat /dev/zero", limits: limits, fails: .gdbOutputLimit)
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        let answer = try await crashed.retraced(
            with: crashed.standIn("cat <<'EOF'\n\(frame)EOF\nwhile :; do echo noise; done"), limits: limits)
        #expect(answer.text.utf8.count < 110_000)
        #expect(answer.summary.remarks.contains { $0.contains("cut off") })
    }

    @Test func gdbThatExitsTellsItsStatusAndLastLines() async throws {
        let error = try await check("echo 'cannot load libfoo.so' >&2; exit 42", fails: .gdbFailed)
        #expect(error?.exitStatus == 42 && error?.toolOutput == "cannot load libfoo.so")
        try await check("kill -SEGV $$", fails: .gdbFailed)
    }

    @Test(arguments: [
        "cat /dev/zero > /.frames", "echo '{\"thread\": 1, \"crashed\": true}' > /.frames", "rm -f /.frames",
        "echo '{\"level\": 0' > /.frames",
    ])
    func aDebuggerThatWritesNonsenseAsDataIsReadByItsText(script: String) async throws {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        var limits = RetraceLimits()
        limits.sandbox.fileBytes = 1 << 20
        let answer = try await crashed.retraced(
            with: crashed.standIn("(\(script)) 2>/dev/null\ncat <<'EOF'\n\(frame)EOF\nprintf 'a\\033[2Jb\\377'"),
            limits: limits)
        #expect(answer.summary.frames == 1 && answer.summary.crashFunction == "main")
        #expect(answer.summary.remarks.contains { $0.contains("no frames as data") })
        #expect(answer.text.contains("a\\033[2Jb\u{fffd}"))
    }

    @Test func cancellingTheTaskIsAnInterruptionThatIsTriedAgain() async throws {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        let debugger = try crashed.standIn("sleep 1000")
        let error = await withTaskGroup(of: StageError?.self) { group in
            let (begun, begin) = AsyncStream<Void>.makeStream()
            group.addTask {
                do {
                    let directory = try crashed.task()
                    let crash = try readCrash(crashed.core)
                    _ = try await retrace(
                        crash, resolution(of: crash), in: crashed.chroot(debugger), directory: directory,
                        limits: RetraceLimits(), progress: { _ in begin.finish() })
                } catch { return error as? StageError }
                return nil
            }
            for await _ in begun {}
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(error?.code == .interrupted && error?.disposition == .retry(after: .seconds(1)))
    }

    @Test func aCoreThatIsTextIsSaidToBeNone() async throws {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        let error = await #expect(throws: StageError.self) {
            _ = try await crashed.retraced(core: Array("this is no core\n".utf8))
        }
        #expect(error?.code == .coreUnreadable, "\(String(describing: error)) \(error?.toolOutput ?? "")")
    }

    /// gdb's own words for it are that the file is no core, and the advice to upload another kind of file was wrong.
    @Test func aCutCoreWithoutAStackIsSaidToBeCut() async throws {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        let error = await #expect(throws: StageError.self) {
            _ = try await crashed.retraced(
                core: Array("cut".utf8), truncation: CoreTruncation(expectedBytes: 100_000, actualBytes: 3))
        }
        #expect(error?.code == .coreTruncated)
        #expect(error?.reason.contains("3 of 100000 bytes") == true, "\(String(describing: error))")
    }

    @Test(arguments: [64, 1000, 4096, 30_000])
    func aTruncatedCoreGivesATypedAnswer(bytes: Int) async throws {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        guard let core = try ResultFile(at: crashed.core) else { return }
        do {
            let answer = try await crashed.retraced(core: try core.read(at: 0, count: bytes))
            #expect(answer.summary.frames > 0)
        } catch let error as StageError {
            #expect([.coreUnreadable, .noFrames, .gdbFailed].contains(error.code))
        }
    }

    @Test func aDebuggerThatIsNotThereIsSaidSoAndLogged() async throws {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        let directory = try crashed.task()
        let crash = try readCrash(crashed.core)
        let nowhere = Chroot(crashRoot: "/nowhere/at/all", debugger: CrashedProgram.hostDebugger)
        let error = await #expect(throws: StageError.self) {
            _ = try await retrace(
                crash, resolution(of: crash), in: nowhere, directory: directory, limits: RetraceLimits())
        }
        #expect(error?.code == .sandboxUnavailable && error?.reason.contains("/nowhere/at/all") == true)
        #expect(try contents(of: directory.log).contains("/nowhere/at/all"))
        #expect(try ResultFile(at: directory.backtrace) == nil)
    }

    @Test func scriptsOutsideOfThePackagesOwnDirectoriesDoNotRun() async throws {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        let evil = "print('EVIL RAN')\n"
        try put(evil, at: crashed.root.appending("usr/bin/crashdemo-gdb.py"))
        try put("echo EVIL RAN\\n", at: crashed.root.appending(".gdbinit"))
        try put("echo EVIL RAN\\n", at: crashed.root.appending("usr/bin/crashdemo-gdb.gdb"))
        let answer = try await crashed.retraced()
        #expect(!answer.text.contains("EVIL") && !answer.log.contains("EVIL RAN"))
        #expect(answer.log.contains("auto-loading has been declined"))
    }

    @Test func aScriptOfAPackageRunsButReachesNothing() async throws {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        let folder = "root/usr/share/gdb/auto-load/usr/bin"
        _ = try await runTool(["mkdir", "-p", crashed.scratch.path.appending(folder).string])
        let script = """
            import os, socket
            def attempt(name, action):
                try:
                    action()
                    print("REACHED " + name)
                except OSError as error:
                    print("BARRED " + name)
            attempt("network", lambda: socket.create_connection(("192.0.2.1", 80), 1))
            attempt("loopback", lambda: socket.create_connection(("127.0.0.1", 22), 1))
            attempt("root", lambda: open("/usr/x", "w"))
            attempt("core", lambda: open("/.coredump", "r+b"))
            attempt("debugger", lambda: open("/.retrace/x", "w"))
            attempt("kill", lambda: os.kill(\(getpid()), 0))
            attempt("host", lambda: os.listdir("/proc/1/root/root"))
            attempt("setuid", lambda: os.setuid(0))
            print("USER %d" % os.getuid())
            """
        try put(script, at: crashed.scratch.path.appending("\(folder)/crashdemo-gdb.py"))
        let answer = try await crashed.retraced()
        #expect(!answer.text.contains("REACHED"))
        #expect(answer.text.split(separator: "\n").count { $0.hasPrefix("BARRED") } == 8)
        #expect(answer.text.contains("USER 65534"))
    }

    @discardableResult
    private func check(
        _ script: String, wallTime: Duration = .seconds(30), limits: RetraceLimits = RetraceLimits(),
        fails code: StageError.Code
    ) async throws -> StageError? {
        let crashed = try await CrashedProgram(tiny)
        defer { crashed.remove() }
        var limits = limits
        limits.sandbox.wallTime = wallTime
        let debugger = try crashed.standIn(script)
        let error = await #expect(throws: StageError.self) {
            _ = try await crashed.retraced(with: debugger, limits: limits)
        }
        #expect(error?.code == code, "\(String(describing: error)): \(error?.toolOutput ?? "")")
        #expect(error?.stage == .retrace && error?.advice?.isEmpty == false)
        return error
    }
}
