import CrashModel
import Glibc
import NIOHTTP1
import Sandbox
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    /// A kernel that crashed in a machine of qemu, as kdump saves it, through the six processes to crash(8).
    @Suite(
        "A kernel's dump becomes a backtrace",
        .enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1"))
    struct KernelTests {
        @Test func everyFormatGivesTheSameStackWithFileAndLine() async throws {
            let stack = try runningStack()
            let kernel = try await stack.kernels.prepare(stack)
            // The symbols are unpacked for the first; the others run beside one another.
            let whole = try await stack.analysed(try FolderContents.read(kernel.dump("zlib")))
            #expect(whole.kernel.rung == "full" && whole.kernel.verified == true, "\(whole.kernel) \(whole.remarks)")
            #expect(whole.kernel.panic?.contains("sysrq triggered crash") == true, "\(whole.kernel)")
            #expect(whole.kernel.release == kernel.release)
            #expect(whole.crash_function == "sysrq_handle_crash")
            let frame = try #require(whole.frame("sysrq_handle_crash"))
            #expect(frame.file?.hasSuffix("drivers/tty/sysrq.c") == true && frame.line ?? 0 > 100, "\(frame)")
            let modules = whole.kernel.modules
            #expect(modules.contains { $0.name == "virtio_blk" } && modules.allSatisfy { $0.symbols }, "\(modules)")
            try await withThrowingTaskGroup(of: (String, DecodedKernel).self) { group in
                // What was never made smaller is the huge dump below.
                for format in kernel.formats where !["zlib", "raw"].contains(format) {
                    group.addTask {
                        (format, try await stack.analysed(try FolderContents.read(kernel.dump(format))))
                    }
                }
                for try await (format, other) in group {
                    #expect(other.frames == whole.frames && other.kernel.rung == "full", "\(format): \(other)")
                    #expect(other.kernel.panic == whole.kernel.panic, "\(format)")
                }
            }
            #expect(stack.remains() == [])
        }

        @Test func oopsInAModuleHasFileAndLine() async throws {
            let stack = try runningStack()
            let kernel = try await stack.kernels.prepare(stack)
            let crash = try await stack.analysed(try FolderContents.read(kernel.dump("zlib", of: .oops)))
            #expect(crash.kernel.panic?.hasPrefix("divide error") == true, "\(crash.kernel)")
            #expect(crash.crash_function == "bictcp_cong_avoid")
            let frame = try #require(crash.frame("bictcp_cong_avoid"), "\(crash.frames)")
            #expect(frame.module == "tcp_bic" && frame.line == 126, "\(frame)")
            #expect(frame.file?.hasSuffix("net/ipv4/tcp_bic.c") == true, "\(frame)")
            #expect(crash.kernel.modules.contains { $0.name == "tcp_bic" && $0.symbols }, "\(crash.kernel.modules)")
        }

        @Test func kernelAndLogAreThereBeforeTheAnalysis() async throws {
            let stack = try runningStack()
            let kernel = try await stack.kernels.prepare(stack)
            let seen = await stack.events.entries.count
            let task = try await stack.submit(kernel: try FolderContents.read(kernel.dump("zlib")))
            let status = try await stack.get(task).body
            let log = try await stack.get(task, "/log").body
            #expect(log.contains("== KERNEL LOG ==") && log.contains("sysrq: Trigger a crash"), "\(log.suffix(300))")
            #expect(status.contains("Kernel: \(kernel.release) (build-id "), "\(status)")
            let began = try await stack.event(.ingest, .started, of: task.id, from: seen)
            let told = await stack.events.first(from: seen, within: .seconds(60)) { event in
                event.task == task.id && event.facts["kernel_build_id"] != nil
            }
            let found = try #require(told)
            #expect(found.facts["kernel"] == kernel.release && found.stage == .ingest)
            let end = try await stack.event(.ingest, .succeeded, of: task.id, from: seen)
            #expect(found.microseconds >= began.microseconds && found.microseconds <= end.microseconds)
            #expect(try await stack.get(task, "/results").body.hasPrefix("log\t"))
            #expect(try await stack.end(of: task).status == "FINISHED_SUCCESS")
            let names = try await stack.get(task, "/results").body.split(separator: "\n").map {
                $0.prefix { $0 != "\t" }
            }
            #expect(names == ["bt", "bt-a", "files", "log", "mod", "mount", "ps", "sys"])
            #expect(try await stack.get(task, "/results/ps").body.contains("COMM"))
        }

        @Test func submitPrintsTheBacktraceOfTheKernel() async throws {
            let stack = try runningStack()
            let kernel = try await stack.kernels.prepare(stack)
            let submitted = try await stack.retrace(["submit", kernel.dump("elf").string])
            let text = String(decoding: submitted.standardOutput, as: UTF8.self)
            #expect(submitted.termination == .exited(0), "\(String(decoding: submitted.standardError, as: UTF8.self))")
            #expect(text.contains("sysrq triggered crash") && text.contains("drivers/tty/sysrq.c"), "\(text)")
        }

        @Test func unknownKernelGivesItsLog() async throws {
            let stack = try runningStack()
            let kernel = try await stack.kernels.prepare(stack)
            var dump = try FolderContents.read(kernel.dump("zlib"))
            let key = try #require(dump.firstRange(of: Array("BUILD-ID=".utf8)))
            for place in key.upperBound..<key.upperBound + 40 { dump[place] = UInt8(ascii: "a") }
            let task = try await stack.submit(kernel: dump)
            let end = try await stack.end(of: task)
            #expect(end.status == "FINISHED_SUCCESS", "\(end.text)")
            let crash = try DecodedKernel(try await stack.get(task, "/backtrace.json").body)
            #expect(crash.kernel.rung == "log-only" && crash.kernel.verified == nil, "\(crash)")
            #expect(crash.kernel.build_id == String(repeating: "a", count: 40))
            let text = try await stack.get(task, "/backtrace").body
            #expect(text.contains("sysrq: Trigger a crash") && text.contains("debug symbols (vmlinux)"), "\(text)")
        }

        /// Half of it; whether the kernel's log is in that half is chance, and makedumpfile is the judge of it.
        @Test func truncatedDumpGivesItsLogOrItsFailure() async throws {
            let stack = try runningStack()
            let kernel = try await stack.kernels.prepare(stack)
            let whole = try FolderContents.read(kernel.dump("zlib"))
            let half = Array(whole[..<(whole.count / 2)])
            let cut = try FolderContents.write(half, to: stack.directory.appending("half-a-vmcore"))
            defer { unlink(cut.string) }
            let log = stack.directory.appending("half-a-log")
            defer { unlink(log.string) }
            let hasLog = try await runTool(["makedumpfile", "--dump-dmesg", cut.string, log.string]).succeeded
            let seen = await stack.events.entries.count
            let task = try await stack.submit(kernel: half)
            let end = try await stack.end(of: task)
            #expect(end.text.contains("Kernel: \(kernel.release) (build-id "), "\(end)")
            if hasLog {
                #expect(end.status == "FINISHED_SUCCESS", "\(end)")
                let crash = try DecodedKernel(try await stack.get(task, "/backtrace.json").body)
                #expect(crash.kernel.rung == "log-only", "\(crash)")
                #expect(crash.kernel.refusals.map(\.rung) == ["full", "zero-excluded", "minimal"], "\(crash)")
                #expect(crash.kernel.panic?.contains("sysrq triggered crash") == true, "\(crash)")
            } else {
                #expect(end.status == "FINISHED_FAILURE" && end.text.contains("vmcore-unreadable"), "\(end)")
                let failed = try await stack.event(.retrace, .failed, of: task.id, from: seen)
                #expect(failed.error?.code.description == "vmcore-unreadable", "\(failed)")
            }
        }

        /// The disk was full, or the machine died again, after the headers had been written.
        @Test func dumpWhoseMemoryIsZerosNamesItsKernelAndItsFailure() async throws {
            let stack = try runningStack()
            let kernel = try await stack.kernels.prepare(stack)
            let whole = try FolderContents.read(kernel.dump("zlib"))
            let start = try kernel.memoryOffset(of: "zlib")
            let seen = await stack.events.entries.count
            let task = try await stack.submit(
                kernel: Array(whole[..<start]) + [UInt8](repeating: 0, count: whole.count - start))
            let end = try await stack.end(of: task)
            #expect(end.status == "FINISHED_FAILURE" && end.text.contains("vmcore-unreadable"), "\(end)")
            #expect(end.text.contains("Kernel: \(kernel.release) (build-id "), "\(end)")
            let failed = try await stack.event(.retrace, .failed, of: task.id, from: seen)
            #expect(failed.error?.code.description == "vmcore-unreadable" && failed.error?.advice != nil, "\(failed)")
        }

        /// 20 GB of memory, nearly all of it holes, that lie on the server: nothing is copied or read into memory.
        @Test func hugeDumpOnTheServerIsAnalysedWhereItLies() async throws {
            let stack = try runningStack()
            let kernel = try await stack.kernels.prepare(stack)
            let dump = stack.dumps.appending("huge")
            try await makeSparse(dump, of: kernel.dump("raw"), more: 20 << 30)
            let status = try #require(FolderContents.status(dump))
            #expect(status.size > 20 << 30 && status.allocated < 1 << 30)
            try await stack.forgetPeaks()
            let before = try await stack.peaks()
            let answer = try await stack.request(
                .POST, "/create",
                [
                    "Content-Type": "application/octet-stream", "X-Task-Type": "2",
                    "X-CoreFileDirectory": dump.string,
                ], [])
            let task = try #require(try answer.task(), "\(answer)")
            let linked = FolderContents.status(
                stack.spool.appending(task.id.description).appending("crash/vmcore"))
            #expect(linked?.inode == status.inode)
            let end = try await stack.end(of: task)
            #expect(end.status == "FINISHED_SUCCESS", "\(end.text)")
            let crash = try DecodedKernel(try await stack.get(task, "/backtrace.json").body)
            #expect(crash.kernel.rung == "full" && crash.crash_function == "sysrq_handle_crash", "\(crash)")
            // How much that is in all says little of a build without optimisation; bench/kernel has the goal.
            for (service, peak) in try await stack.peaks() {
                let more = peak - (try #require(before[service]))
                #expect(more <= 16 << 10, "\(service) took \(more) KiB more than the \(peak - more) that it had")
            }
            #expect(FolderContents.status(dump)?.size == status.size && stack.remains() == [])
        }

        /// No link is possible there; the dump is neither copied nor changed.
        @Test func dumpOnAnotherFileSystemIsAnalysedWhereItLies() async throws {
            let stack = try runningStack()
            let kernel = try await stack.kernels.prepare(stack)
            let dump = stack.distantDumps.appending("vmcore")
            let bytes = try FolderContents.read(kernel.dump("zlib"))
            try FolderContents.write(bytes, to: dump)
            chmod(dump.string, 0o604)
            let before = try #require(FolderContents.status(dump))
            let answer = try await stack.request(
                .POST, "/create",
                [
                    "Content-Type": "application/octet-stream", "X-Task-Type": "2",
                    "X-CoreFileDirectory": dump.string,
                ], [])
            let task = try #require(try answer.task(), "\(answer)")
            let end = try await stack.end(of: task)
            #expect(end.status == "FINISHED_SUCCESS", "\(end.text)")
            let crash = try DecodedKernel(try await stack.get(task, "/backtrace.json").body)
            #expect(crash.kernel.rung == "full" && crash.crash_function == "sysrq_handle_crash", "\(crash)")
            #expect(crash.kernel.panic?.contains("sysrq") == true, "the log was read on arrival: \(crash.kernel)")
            let isUnchanged = try #require(FolderContents.status(dump)) == before
            #expect(isUnchanged)
            #expect(try FolderContents.read(dump) == bytes)
        }
    }
}
