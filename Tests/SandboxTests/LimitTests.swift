import Glibc
import SystemPackage
import TestFixtures
import Testing

@testable import Sandbox

@Suite("What a child may use, and how it ends")
struct LimitTests {
    @Test func exitStatusAndSignalAreToldApart() async throws {
        #expect(try await shell("exit 0").termination == .exited(0))
        #expect(try await shell("exit 7").termination == .exited(7))
        #expect(try await shell("kill -SEGV $$").termination == .signalled(11))
        #expect(try await shell("kill -ABRT $$").termination == .signalled(6))
        #expect(try await runTool(["sh", "-c", "exit 139"]).termination == .exited(139))
        #expect(try await runTool(["sh", "-c", "kill -SEGV $$"]).termination == .signalled(11))
    }

    @Test(arguments: ["sleep 1000", "sleep 1000 & exec >&- 2>&-; wait", "trap '' TERM INT HUP; while :; do :; done"])
    func aChildThatHangsIsKilledAtItsDeadline(script: String) async throws {
        var limits = quick
        var printed = ""
        // A busy host may need longer than the deadline to start a sandbox at all.
        for seconds in [3, 15, 60, 120] where printed.isEmpty {
            limits.wallTime = .seconds(seconds)
            let result = try await shell("echo started; \(script)", limits: limits)
            #expect(result.termination == .timedOut)
            printed = result.text
        }
        #expect(printed == "started", "what it printed before is kept")
        limits.wallTime = .seconds(3)
        let tool = try await runTool(["sh", "-c", script], limits: limits)
        #expect(tool.termination == .timedOut)
    }

    @Test func aForkBombIsBoundedAndGone() async throws {
        var limits = quick
        limits.wallTime = .seconds(2)
        limits.processes = 60
        let marker = "\(4_000_000 + getpid())"
        let result = try await shell("f() { sleep \(marker) & f & f & wait; }; f", limits: limits)
        #expect(
            result.termination == .timedOut || result.errorText.contains("fork") || result.errorText.contains("Cannot"))
        #expect(try await areGone(marker))
    }

    @Test func aForkBombTakesNothingFromItsNeighbours() async throws {
        var limits = quick
        limits.wallTime = .seconds(2)
        limits.processes = 60
        let bomb = limits
        // Long enough for neighbours of a bomb on a busy host.
        limits.wallTime = .seconds(120)
        let neighbours = limits
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await shell("f() { f & f & wait; }; f; sleep 100", limits: bomb) }
            for _ in 0..<8 {
                let answer = try await shell("/bin/echo well", limits: neighbours)
                #expect(answer.text == "well", "\(answer.errorText)")
            }
            try await group.waitForAll()
        }
    }

    @Test func aChildThatEatsMemoryIsStopped() async throws {
        var limits = quick
        limits.memoryBytes = 200 << 20
        let result = try await shell("tail /dev/zero", limits: limits)
        #expect(!result.succeeded)
        #expect(result.errorText.contains("memory exhausted"), "\(result.errorText)")
    }

    @Test func processorTimeIsLimited() async throws {
        var limits = quick
        limits.cpuSeconds = 1
        let result = try await shell("while :; do :; done", limits: limits)
        #expect(result.termination == .signalled(Int(SIGXCPU)))
    }

    @Test(arguments: ["cat /dev/zero", "cat /dev/zero >&2", "cat /dev/zero & cat /dev/zero >&2"])
    func aFloodOfOutputIsBounded(script: String) async throws {
        var limits = quick
        limits.outputBytes = 100_000
        let result = try await shell(script, limits: limits)
        #expect(result.termination == .outputLimit)
        #expect(result.standardOutput.count <= 100_000 && result.standardError.count <= 100_000)
        #expect(max(result.standardOutput.count, result.standardError.count) == 100_000)
    }

    @Test func outputUpToTheLimitIsWhole() async throws {
        let result = try await shell("head -c 65536 /dev/zero; head -c 65536 /dev/zero >&2")
        #expect(result.succeeded)
        #expect(result.standardOutput.count == 65536 && result.standardError.count == 65536)
    }

    @Test func noFileGrowsOverItsLimit() async throws {
        var limits = quick
        limits.fileBytes = 4096
        let result = try await shell("head -c 10000 /dev/zero > /tmp/x; wc -c < /tmp/x", limits: limits)
        #expect(result.text == "4096")
    }

    @Test func noCoreIsDumpedAndStandardInputIsEmpty() async throws {
        let result = try await shell("ulimit -c; ulimit -Hc; wc -c")
        #expect(result.text == "0\n0\n0")
    }

    @Test func cancellingTheTaskKillsTheChild() async throws {
        let marker = "\(5_000_000 + getpid())"
        let ended = await withTaskGroup(of: SandboxError.Code?.self) { group in
            group.addTask {
                do throws(SandboxError) {
                    _ = try await shell("echo started; sleep \(marker)")
                    return nil
                } catch { return error.code }
            }
            // Wait until the child is there, then cancel.
            while (try? await processes(with: marker))?.isEmpty ?? true {}
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(ended == .cancelled)
        #expect(try await areGone(marker))
    }

    @Test func nothingOfTheChildOutlivesTheCall() async throws {
        let marker = "\(6_000_000 + getpid())"
        let result = try await shell("setsid sleep \(marker) >/dev/null 2>&1 & exit 0")
        #expect(result.succeeded)
        #expect(try await areGone(marker))
    }

    /// The shell stands for the service: it starts what a service starts, in another session, and is killed.
    @Test func nothingOfTheChildOutlivesTheService() async throws {
        let marker = "\(8_000_000 + getpid())"
        let command = SandboxedCommand(root: "/", scratch: [], arguments: ["/usr/bin/sleep", marker])
        let entries = ["usr", "bin", "lib", "lib64"].map { RootEntry(name: $0, link: nil) }
        let arguments = wrapped(
            try bubblewrapArguments(for: command, rootEntries: entries, limits: quick), user: .nobody, limits: quick)
        let started = arguments.map { "'\($0)'" }.joined(separator: " ")
        let service = try await runTool([
            "sh", "-c", "setsid \(started) & until pgrep -x -f '/usr/bin/sleep \(marker)'; do :; done; kill -KILL $$",
        ])
        #expect(service.termination == .signalled(9), "\(service.errorText)")
        #expect(try await areGone(marker))
    }

    /// Sixteen children wait until a task of ours lets them go. It gets its turn only if their waits block no thread of
    /// the pool, which has one for each core.
    @Test(.timeLimit(.minutes(2))) func manyChildrenWaitWhileThePoolStaysFree() async throws {
        try await ScratchDirectory.with { scratch in
            let gate = scratch.appending("gate")
            try await withThrowingTaskGroup(of: ChildResult.self) { group in
                for number in 0..<16 {
                    group.addTask {
                        try await runTool([
                            "sh", "-c",
                            "touch \(scratch)/\(number); until [ -e \(gate) ]; do sleep 0.05; done; echo went",
                        ])
                    }
                }
                while FolderContents.names(in: scratch).count < 16 { await Task.yield() }
                _ = try FolderContents.write([], to: gate)
                for try await result in group { #expect(result.text == "went") }
            }
        }
    }

    @Test func aToolThatIsNotThereIsSaidSo() async throws {
        await #expect { try await runTool(["no-such-tool-here"]) } throws: {
            ($0 as? SandboxError)?.code == .programMissing
        }
        await #expect { try await runTool(["sh", "-c", "a\0b"]) } throws: {
            ($0 as? SandboxError)?.code == .invalidCommand
        }
    }

    @Test func aToolRunsWithAPlainEnvironmentWhereItIsTold() async throws {
        let result = try await runTool(
            ["sh", "-c", "env; pwd"], environment: ["A": "b"], workingDirectory: "/usr/share")
        let lines = Set(result.text.split(separator: "\n").map(String.init))
        #expect(lines.contains("A=b") && lines.contains("LC_ALL=C") && lines.contains("/usr/share"))
        #expect(!lines.contains { $0.hasPrefix("HOME=") })
    }

    /// Whether no process with `marker` is left; the kernel kills one after the other, so it looks more than once.
    private func areGone(_ marker: String) async throws -> Bool {
        for _ in 0..<100 where try await !processes(with: marker).isEmpty {}
        return try await processes(with: marker).isEmpty
    }

    /// The ids of the host's processes on whose command line `marker` stands.
    private func processes(with marker: String) async throws -> [Substring] {
        let result = try await runTool(["pgrep", "-x", "-f", "(/usr/bin/)?sleep \(marker)"])
        return result.text.split(separator: "\n")
    }
}
