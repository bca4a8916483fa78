import Glibc
import SystemPackage
import TestFixtures
import Testing

@testable import Sandbox

@Suite("What a sandboxed child can reach")
struct IsolationTests {
    @Test func thereIsNoNetworkButALoopbackOfItsOwn() async throws {
        let result = try await shell("tail -n +3 /proc/net/dev; cat /proc/net/route | tail -n +2; cat /proc/net/tcp")
        let devices = result.text.split(separator: "\n").filter { $0.contains(":") && !$0.contains("sl ") }
        #expect(devices.count == 1 && result.text.contains("lo:"), "\(result.text)")
    }

    @Test func theRootIsReadOnly() async throws {
        let result = try await shell("touch /new; touch /usr/new; mkdir /usr/share/new; touch /magic; echo end")
        #expect(result.text == "end")
        #expect(result.errorText.split(separator: "\n").count == 4)
        #expect(result.errorText.contains("Read-only file system"))
    }

    @Test func onlyScratchIsWritableAndItIsBounded() async throws {
        let result = try await shell("echo x > /tmp/a && cat /tmp/a; dd if=/dev/zero of=/tmp/b bs=1M count=5 2>&1")
        #expect(result.text.hasPrefix("x"))
        #expect(result.text.contains("No space left on device"))
    }

    @Test func theUserIsUnprivilegedInside() async throws {
        let result = try await shell("id -u; cat /proc/self/uid_map; grep -h ^Cap /proc/self/status")
        let lines = result.text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
        #expect(lines.first == ["65534"])
        #expect(lines.dropFirst().first?.first == "65534" && lines.dropFirst().first?.last == "1")
        #expect(lines.dropFirst(2).count == 5)
        #expect(lines.dropFirst(2).allSatisfy { $0.last == "0000000000000000" }, "no capability of any set")
    }

    @Test func theKernelSeesAnUnprivilegedUserOutside() async throws {
        let marker = "\(7_000_000 + getpid())"
        let user = geteuid() == 0 ? 65534 : geteuid()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await shell("sleep \(marker)") }
            while true {
                let found = try? await runTool(["pgrep", "-x", "-U", "\(user)", "-f", "sleep \(marker)"])
                if found?.succeeded ?? false { break }
            }
            group.cancelAll()
        }
    }

    @Test func filesOfTheServiceAreClosedToTheChild() async throws {
        let file = try TemporaryFile(mode: 0o666)
        defer { file.remove() }
        let result = try await shell("echo hello > /out", binds: [SandboxBind(file.path, at: "/out", writable: true)])
        #expect(result.succeeded, "\(result.errorText)")
        #expect(try file.contents() == "hello\n")
        let secret = try TemporaryFile(mode: 0o600)
        defer { secret.remove() }
        let denied = try await shell("cat /secret", binds: [SandboxBind(secret.path, at: "/secret")])
        #expect(denied.succeeded == (geteuid() != 0), "root's own file must be closed to the child")
    }

    @Test func noFurtherUserNamespaceCanBeMade() async throws {
        let result = try await shell("unshare -U true && echo made; echo end")
        #expect(result.text == "end")
    }

    @Test func onlyItsOwnProcessesAreVisible() async throws {
        let result = try await shell("cd /proc; for p in [0-9]*; do cat $p/comm; done")
        let names = Set(result.text.split(separator: "\n"))
        #expect(names.isSubset(of: ["bwrap", "sh", "cat"]), "\(names)")
        let signal = try await shell("kill -0 \(getpid()) && echo reached")
        #expect(signal.text.isEmpty)
    }

    @Test func filesOfTheHostAreOutOfReach() async throws {
        let result = try await shell("ls -d /etc /root /home /var /run /sys /proc/1/root/etc /boot; ls /; hostname")
        #expect(!result.text.contains("/etc") && !result.text.contains("/root") && !result.text.contains("/sys"))
        let entries = result.text.split(separator: "\n").map(String.init)
        #expect(entries.contains("proc") && entries.contains("tmp") && entries.last == "sandbox")
    }

    @Test func environmentAndDescriptorsAreClean() async throws {
        setenv("SANDBOX_TEST_SECRET", "hunter2", 1)
        let leaked = try FileDescriptor.open("/dev/null", .readOnly)
        defer { try? leaked.close() }
        let result = try await shell("env; ls /proc/self/fd | tr '\\n' ' '", environment: ["LC_ALL": "C", "A": "b c"])
        let lines = Set(result.text.split(separator: "\n").map(String.init))
        #expect(lines.contains("A=b c") && lines.contains("LC_ALL=C"))
        #expect(lines.allSatisfy { !$0.contains("SECRET") && !$0.hasPrefix("PATH") })
        #expect(lines.contains("0 1 2 3"), "only standard streams and ls's own directory: \(result.text)")
    }

    @Test func sourcesInADirectoryOfTheServiceAloneCanBeMounted() async throws {
        let scratch = try ScratchDirectory()
        defer { scratch.remove() }
        mkdir(scratch.path.appending("root").string, 0o755)
        mkdir(scratch.path.appending("root/inside").string, 0o755)
        let output = scratch.path.appending("output")
        try FileDescriptor.open(output, .writeOnly, options: .create, permissions: [.ownerReadWrite]).close()
        chmod(output.string, 0o666)
        let command = SandboxedCommand(
            root: scratch.path.appending("root"),
            binds: [
                SandboxBind("/usr", at: "/usr"), SandboxBind("/lib64", at: "/lib64"), SandboxBind("/lib", at: "/lib"),
                SandboxBind(output, at: "/output", writable: true),
            ],
            arguments: [
                "/usr/bin/sh", "-c", "ls -d /inside; id -u; echo written > /output; ls \(scratch.path); exit 3",
            ])
        let result = try await runSandboxed(command, limits: quick)
        #expect(result.termination == .exited(3), "\(result.errorText)")
        #expect(result.text == "/inside\n65534")
        #expect(try await runTool(["cat", output.string]).text == "written")
    }

    @Test func pathsInsideMustBeAbsoluteAndPlain() async throws {
        let command = SandboxedCommand(
            root: "/usr/share/misc", binds: [SandboxBind("/usr", at: "/a/../../usr")], arguments: ["/usr/bin/env"])
        await #expect { try await runSandboxed(command, limits: quick) } throws: {
            ($0 as? SandboxError)?.code == .invalidCommand
        }
    }

    @Test func aSourceThatDoesNotExistIsSaidSo() async throws {
        await #expect { try await shell("true", binds: [SandboxBind("/nowhere/at/all", at: "/x")]) } throws: {
            guard let error = $0 as? SandboxError else { return false }
            return error.code == .setupFailed && error.description.contains("/nowhere/at/all")
        }
    }

    @Test func theHostIsFitForASandbox() async {
        let problem = await sandboxProblem()
        #expect(problem == nil, "\(problem.map { "\($0)" } ?? "")")
    }

    @Test func adviceFitsWhatBubblewrapSays() {
        func problem(_ line: String, _ status: Int = 1) -> SandboxError? {
            setupProblem(
                of: ChildResult(
                    termination: .exited(status), standardOutput: [], standardError: Array(line.utf8), wallTime: .zero))
        }
        let denied = problem("bwrap: No permissions to create new namespace, likely because the kernel does not allow")
        #expect(denied?.description.contains("unprivileged_userns_clone") == true)
        let used = problem("bwrap: Creating new namespace failed: No space left on device")
        #expect(used?.description.contains("user.max_user_namespaces") == true)
        let missing = problem("prlimit: failed to execute bwrap: No such file or directory", 127)
        #expect(missing?.code == .programMissing && missing?.description.contains("bubblewrap") == true)
        let crowded = problem("bwrap: Can't fork for pid 1: Resource temporarily unavailable")
        #expect(crowded?.code == .spawnFailed && crowded?.description.contains("limit of processes") == true)
        #expect(problem("gdb: whatever") == nil)
    }
}
