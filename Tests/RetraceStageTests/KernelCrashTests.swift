import CrashModel
import Glibc
import Sandbox
import Synchronization
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

@Suite(
    "Real dumps of a real kernel, by crash(8)", .serialized,
    .enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1"))
struct KernelCrashTests {
    private func retraced(
        _ task: KernelTask, _ dump: KernelDump, of kernel: RealKernel, _ files: KernelFiles?,
        limits: RetraceLimits = RetraceLimits(), told: Told = Told()
    ) async throws -> RetracedKernel {
        try await task.retraced(
            dump, files: files, root: kernel.root, debugger: kernel.debugger, limits: limits,
            progress: { told.add($0) })
    }

    @Test func theFunctionThatPanickedHasItsFileAndLine() async throws {
        let kernel = try await RealKernel.made()
        let task = try await KernelTask(kernel.dumps.dump("zlib"))
        defer { task.remove() }
        let told = Told()
        var limits = RetraceLimits()
        limits.kernel = try KernelAnalysis(commands: ["kmem -i", "nosuchcommand"])
        let answer = try await retraced(task, kernel.dump(), of: kernel, kernel.files(), limits: limits, told: told)
        #expect(answer.summary.rung == .full && answer.summary.quality == .full)
        #expect(answer.summary.panic == "Kernel panic - not syncing: sysrq triggered crash")
        #expect(answer.summary.crashFunction == "sysrq_handle_crash")
        #expect(told.all.first?.hasPrefix("The kernel's log is ready") == true, "\(told.all)")
        #expect(
            Set(answer.results.keys) == [
                "log", "sys", "bt", "bt-a", "ps", "mod", "mount", "files", "kmem-i", "nosuchcommand",
            ])
        #expect(answer.results["nosuchcommand"]?.contains("command not found") == true)
        #expect(answer.results["kmem-i"]?.contains("TOTAL MEM") == true)
        let decoded = try DecodedKernel(answer.json)
        #expect(decoded.kernel.verified == true && decoded.kernel.cpu == 0 && decoded.kernel.command == "init")
        #expect(decoded.kernel.modules.map(\.name).sorted() == MadeKernelDumps.Cause.sysrq.modules)
        #expect(decoded.kernel.modules.allSatisfy { $0.symbols })
        #expect(decoded.kernel.taint?.isEmpty == true)
        let frame = try #require(decoded.threads.first?.frames.first { $0.function == "sysrq_handle_crash" })
        #expect(frame.file?.hasSuffix("drivers/tty/sysrq.c") == true && frame.line ?? 0 > 100 && frame.offset ?? 0 > 0)
        #expect(answer.text.hasPrefix("Kernel panic - not syncing: sysrq triggered crash\n"))
        #expect(
            answer.text.contains("== KERNEL LOG ==\n[    0.000000] Linux version \(kernel.dumps.release)"))
        // Nothing of the host stands in what the uploader reads.
        for text in [answer.text, answer.log, answer.json] {
            #expect(!text.contains(kernel.dumps.folder.string), "\(text.prefix(500))")
        }
        #expect(try JSONSchema(named: "Backtrace").violations(of: Array(answer.json.utf8)) == [])
    }

    /// Nothing proves the symbols here, and that is marked; the formats' sameness is LiveTests' to prove.
    @Test func aCulpritInAModuleHasItsFileAndLineWithSymbolsThatNothingProves() async throws {
        let kernel = try await RealKernel.made()
        let task = try await KernelTask(kernel.dumps.dump("zlib", of: .oops))
        defer { task.remove() }
        let doubt = "The dump names no build-id, so the kernel was chosen by its version."
        let answer = try await retraced(task, kernel.dumpWithoutBuildID(), of: kernel, kernel.files(doubt: doubt))
        #expect(answer.summary.rung == .full && answer.summary.crashFunction == "bictcp_cong_avoid")
        #expect(answer.summary.panic?.hasPrefix("divide error: 0000 [#1]") == true)
        #expect(answer.summary.signature.functions.prefix(2) == ["bictcp_cong_avoid", "tcp_ack"])
        #expect(answer.summary.remarks.contains { $0.hasPrefix(doubt) })
        #expect(answer.text.contains("is not proved") && answer.text.contains("that the log names"))
        let decoded = try DecodedKernel(answer.json)
        #expect(decoded.kernel.verified == false)
        #expect(decoded.kernel.modules.map(\.name).sorted() == MadeKernelDumps.Cause.oops.modules)
        let frame = try #require(decoded.threads.first?.frames.first { $0.function == "bictcp_cong_avoid" })
        #expect(frame.module == "tcp_bic" && frame.file?.hasSuffix("net/ipv4/tcp_bic.c") == true && frame.line == 126)
        #expect(decoded.threads.map(\.crashed) == [true, false])
        // The other processor was stopped by an interrupt that cannot be masked; the idle loop below it stands once.
        if let other = decoded.threads.last, other.name?.hasPrefix("swapper/") == true {
            #expect(other.frames.count { $0.function == "native_safe_halt" } == 1)
        }
    }

    @Test func aDumpWithoutSymbolsGivesItsLogAndTheTraceInIt() async throws {
        let kernel = try await RealKernel.made()
        let task = try await KernelTask(kernel.dumps.dump("zlib", of: .oops))
        defer { task.remove() }
        let answer = try await retraced(task, kernel.dump(), of: kernel, nil)
        #expect(answer.summary.rung == .logOnly && answer.results.keys.sorted() == ["log"])
        #expect(answer.summary.crashFunction == "bictcp_cong_avoid")
        #expect(answer.summary.signature.functions.first == "bictcp_cong_avoid")
        let decoded = try DecodedKernel(answer.json)
        #expect(decoded.threads.first?.frames.first?.module == "tcp_bic" && decoded.kernel.command != nil)
        #expect(decoded.kernel.refusals.map(\.rung) == ["full", "zero-excluded", "minimal"])
        #expect(answer.text.contains("vmlinux"))
    }

    /// Before the end of the headers nothing can be had, not even the log.
    @Test(arguments: [0, 1, 100, 5000])
    func aDumpThatIsCutInItsHeadersSaysWhyNot(bytes: Int) async throws {
        let kernel = try await RealKernel.made()
        let task = try KernelTask(kernel.dumps.dump("zlib"), cutAt: bytes)
        defer { task.remove() }
        let error = await #expect(throws: StageError.self) {
            try await retraced(task, kernel.dump(), of: kernel, kernel.files())
        }
        #expect(error?.code == .vmcoreUnreadable && error?.advice != nil, "\(String(describing: error))")
    }

    /// Whether the log lies before the cut is chance; makedumpfile is the judge of that.
    @Test func aDumpThatIsCutInItsMemoryGivesTheLogWhereThatIsBeforeTheCut() async throws {
        let kernel = try await RealKernel.made()
        let dump = kernel.dumps.dump("zlib")
        let half = try #require(try ResultFile(at: dump)).byteCount / 2
        let task = try KernelTask(dump, cutAt: half)
        defer { task.remove() }
        let cut = task.directory.crash.appending("vmcore")
        let hasLog = try await runTool(
            ["makedumpfile", "--dump-dmesg", cut.string, task.scratch.path.appending("dmesg").string]
        ).succeeded
        do {
            let answer = try await retraced(task, kernel.dump(), of: kernel, kernel.files())
            #expect(hasLog && answer.summary.rung == .logOnly)
            #expect(answer.results["log"]?.contains("Linux version \(kernel.dumps.release)") == true)
            let refusals = try DecodedKernel(answer.json).kernel.refusals
            #expect(refusals.map(\.rung) == ["full", "zero-excluded", "minimal"])
            #expect(refusals.allSatisfy { $0.reason.utf8.count > 20 }, "\(refusals)")
        } catch let error as StageError {
            #expect(!hasLog && error.code == .vmcoreUnreadable && error.advice != nil, "\(error)")
        }
    }

    /// The disk was full, or the machine died again, after the headers had been written.
    @Test(arguments: [("zlib", VmcoreFormat.kdump), ("elf", .elf)])
    func aDumpWhoseMemoryIsZerosSaysWhyNot(name: String, format: VmcoreFormat) async throws {
        let kernel = try await RealKernel.made()
        let task = try KernelTask(
            kernel.dumps.dump(name), cutAt: kernel.dumps.memoryOffset(of: name), filledUp: true)
        defer { task.remove() }
        let error = await #expect(throws: StageError.self) {
            try await retraced(task, kernel.dump(format), of: kernel, kernel.files())
        }
        #expect(error?.code == .vmcoreUnreadable && error?.advice != nil, "\(String(describing: error))")
    }

    @Test func aDumpOfZerosSaysWhyNot() async throws {
        let kernel = try await RealKernel.made()
        let task = try KernelTask(bytes: [UInt8](repeating: 0, count: 1 << 20))
        defer { task.remove() }
        let error = await #expect(throws: StageError.self) {
            try await retraced(task, kernel.dump(), of: kernel, kernel.files())
        }
        #expect(error?.code == .vmcoreUnreadable && error?.toolOutput?.contains("not a supported file format") == true)
        #expect(try contents(of: task.directory.log).contains("crash"))
        #expect(try !TaskDirectory.names(in: task.directory.path).contains { $0.hasPrefix("session") })
    }

    @Test func symbolsOfAnotherBuildAreRefusedAndTheLogIsStillGiven() async throws {
        let kernel = try await RealKernel.made()
        let task = try await KernelTask(kernel.dumps.dump("zlib"))
        defer { task.remove() }
        let other = "00112233445566778899aabbccddeeff00112233"
        let answer = try await retraced(task, kernel.dump(buildID: other), of: kernel, kernel.files())
        #expect(answer.summary.rung == .logOnly && answer.results.keys.sorted() == ["log"])
        let reason = try #require(try DecodedKernel(answer.json).kernel.refusals.first?.reason)
        #expect(reason.contains("of another kernel") && reason.contains(other))
    }

    /// Where the dump names no build-id, the banner of the kernel is compared with what the dump and its log say.
    @Test(arguments: ["Linux version ", " Debian "])
    func symbolsOfAnotherVersionOrBuildAreRefusedWithoutABuildID(before number: String) async throws {
        let kernel = try await RealKernel.made()
        let banner = try #require(
            KernelBanner.banners(in: FilePath(kernel.root.string + kernel.dumps.vmlinux)).first {
                $0.release == kernel.dumps.release && $0.text.contains(number)
            })
        let changed = Array(banner.text.replacing(number + "6.", with: number + "7.").utf8)
        var vmlinux = ELFBuilder(type: 2)
        vmlinux.sections = [ELFBuilder.Section(".rodata", changed + [0])]
        let root = try ScratchDirectory()
        defer { root.remove() }
        chmod(root.path.string, 0o755)
        try put(vmlinux.build(), at: root.path.appending("vmlinux"))
        let task = try await KernelTask(kernel.dumps.dump("zlib"))
        defer { task.remove() }
        let files = KernelFiles(vmlinux: "/vmlinux", modules: nil, doubt: "The dump names no build-id.")
        let answer = try await task.retraced(
            kernel.dumpWithoutBuildID(), files: files, root: root.path, debugger: kernel.debugger)
        #expect(answer.summary.rung == .logOnly)
        let refusal = try #require(try DecodedKernel(answer.json).kernel.refusals.first)
        #expect(refusal.rung == "full" && refusal.reason.hasPrefix("The vmlinux at hand is of "), "\(refusal)")
    }
}

/// The sentences of progress, in order.
final class Told: Sendable {
    private let sentences = Mutex<[String]>([])
    func add(_ sentence: String) { sentences.withLock { $0.append(sentence) } }
    var all: [String] { sentences.withLock(\.self) }
}
