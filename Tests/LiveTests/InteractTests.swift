import CrashModel
import Glibc
import NIOHTTP1
import Sandbox
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    @Suite("A kept task is opened again, and goes whole")
    struct InteractTests {
        @Test func gdbIsOpenedInTheRootOfAKeptTaskUntilTheTaskIsDeleted() async throws {
            let stack = try runningStack()
            let task = try await keptTask(stack)
            let root = stack.store.appending("roots/\(task.id)")
            #expect(exists(root) && exists(stack.spool.appending("\(task.id)/crash/coredump")))

            let piped = try await interact([task.id.description], "bt", stack)
            #expect(piped.output.contains("in look"), "\(piped.output) \(piped.errors)")
            #expect(piped.status == 0, "\(piped.errors)")
            let plain = try await interact([task.id.description, "gdb", "--", "-batch", "-ex", "p 6*7"], "", stack)
            #expect(plain.output.contains("= 42"), "\(plain.output) \(plain.errors)")
            let shell = try await interact(
                [task.id.description, "shell"], "ls /dump /crash-root/usr/bin/crashdemo; cat /etc/passwd", stack)
            #expect(shell.output.contains("coredump") && shell.output.contains("/crash-root/usr/bin/crashdemo"))
            #expect(!shell.output.contains("root:"), "\(shell.output)")
            let wrong = try await interact([task.id.description, "crash"], "", stack)
            #expect(wrong.status == 64 && wrong.errors.contains("gdb"), "\(wrong.errors)")

            let gone = try await stack.request(
                .POST, "/\(task.id)/delete", ["X-Task-Password": task.password])
            #expect((200..<400).contains(gone.status))
            try await stack.until("the root of the deleted task is gone") { !exists(root) }
            #expect(FolderContents.names(in: stack.store.appending("roots")) == [])
            let unknown = try await interact([task.id.description], "bt", stack)
            #expect(unknown.status == 1 && unknown.errors.contains("There is no task"), "\(unknown.errors)")
        }

        @Test(.enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1"))
        func crashIsOpenedOnAKeptDumpOfAKernelWithItsModulesLoaded() async throws {
            let stack = try runningStack()
            let kernel = try await stack.kernels.prepare(stack)
            let task = try await stack.submit(
                kernel: try FolderContents.read(kernel.dump("zlib", of: .oops)), taskType: 4)
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            // At the end of its input crash says 1, unless it was told to quit.
            let opened = try await interact([task.id.description], "bt -s -l\nmod\nquit", stack)
            #expect(opened.status == 0, "\(opened.errors)")
            #expect(opened.output.contains("bictcp_cong_avoid") && opened.output.contains("net/ipv4/tcp_bic.c"))
            #expect(opened.output.contains("tcp_bic.ko"), "\(opened.output)")
            let shell = try await interact([task.id.description, "shell"], "ls /dump /crash-root/usr/lib/debug", stack)
            #expect(shell.output.contains("vmcore") && shell.output.contains("boot"), "\(shell.output)")
            let wrong = try await interact([task.id.description, "gdb"], "", stack)
            #expect(wrong.status == 64 && wrong.errors.contains("crash"), "\(wrong.errors)")
            try await delete(task, stack)
            #expect(!exists(stack.spool.appending("\(task.id)")))
        }

        @Test func theProgramGetsATerminalOfItsOwn() async throws {
            let stack = try runningStack()
            let task = try await keptTask(stack)
            let retrace = "'\(Stack.products)/retrace' interact \(task.id)"
            let number = "stat -Lc '%T %F' /dev/stdin"
            // script(1) stands for the operator's terminal.
            let file = stack.directory.appending("at-the-terminal")
            try FolderContents.write(
                """
                \(number)
                \(retrace) gdb -- -batch -ex 'bt 1'
                \(retrace) shell -- -c "\(number); exit 7"
                echo status $?

                """.utf8, to: file)
            let result = try await runTool(
                ["script", "--quiet", "--return", "--command", "sh '\(file)'", "/dev/null"],
                environment: environment(stack), limits: SandboxLimits(wallTime: .seconds(60)))
            let text = String(decoding: result.standardOutput, as: UTF8.self)
            #expect(text.contains("in look") && text.contains("status 7"), "\(text)")
            let terminals = text.split(whereSeparator: \.isNewline).filter { $0.hasSuffix("character special file") }
            #expect(terminals.count == 2 && Set(terminals).count == 2, "\(text)")
            try await delete(task, stack)
        }

        @Test func lostRootIsBuiltAgainByThePrintedJob() async throws {
            let stack = try runningStack()
            let task = try await keptTask(stack)
            let root = stack.store.appending("roots/\(task.id)")
            try await MadeRelease.shell("rm -rf '\(root)' '\(root).json'", in: stack.directory)
            let lost = try await interact([task.id.description], "bt", stack)
            #expect(lost.status == 1 && lost.errors.contains("--print-build-job"), "\(lost.errors)")
            let job = try await interact([task.id.description, "--print-build-job"], "", stack)
            let file = stack.directory.appending("build-again.json")
            try FolderContents.write(Array(job.output.utf8), to: file)
            let built = try await runTool(
                [
                    Stack.products.appending("chroot-builder").string, "--job", file.string, "--config",
                    stack.directory.appending("chroot-builder.yaml").string, "--spool", stack.spool.string, "--store",
                    stack.store.string, "--repositories", stack.repositories.string, "--plugins",
                    stack.directory.appending("plugins").string, "--keys", stack.directory.appending("keys").string,
                ], limits: SandboxLimits(wallTime: .seconds(60)))
            #expect(built.succeeded, "\(String(decoding: built.standardError, as: UTF8.self))")
            let again = try await interact([task.id.description], "bt", stack)
            #expect(again.output.contains("in look"), "\(again.output) \(again.errors)")
            try await delete(task, stack)
        }

        @Test func taskThatWasNotKeptIsRefusedInWords() async throws {
            let stack = try runningStack()
            let task = try await stack.submit(try stack.crashFiles("plain"))
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            let refused = try await interact([task.id.description], "bt", stack)
            #expect(refused.status == 1 && refused.errors.contains("retrace submit --keep"), "\(refused.errors)")
        }

        private func keptTask(_ stack: Stack) async throws -> SubmittedTask {
            let answer = try await stack.create(try await stack.packed(try stack.crashFiles("plain")), taskType: 3)
            let task = try #require(try answer.task(), "\(answer.status) \(answer.body)")
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            return task
        }

        private func delete(_ task: SubmittedTask, _ stack: Stack) async throws {
            _ = try await stack.request(.POST, "/\(task.id)/delete", ["X-Task-Password": task.password])
            let root = stack.store.appending("roots/\(task.id)")
            try await stack.until("the root of the deleted task is gone") { !exists(root) }
        }

        private func environment(_ stack: Stack) -> [String: String] {
            [
                "RETRACE_SPOOL": stack.spool.string, "HOME": stack.directory.string, "TERM": "xterm",
                "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh",
            ]
        }

        private func interact(
            _ arguments: [String], _ input: String, _ stack: Stack
        ) async throws -> (status: Int?, output: String, errors: String) {
            let words = ([Stack.products.appending("retrace").string, "interact"] + arguments).map { "'\($0)'" }
            let result = try await runTool(
                ["sh", "-c", "echo '\(input)' | \(words.joined(separator: " "))"], environment: environment(stack),
                limits: SandboxLimits(wallTime: .seconds(120)))
            return (
                result.termination.exitStatus, String(decoding: result.standardOutput, as: UTF8.self),
                String(decoding: result.standardError, as: UTF8.self)
            )
        }

        private func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }
    }
}
