import CrashModel
import ELF
import Glibc
import Sandbox
import Synchronization
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

    private func analysed(
        _ dump: FilePath, cutAt bytes: Int? = nil, files: KernelFiles? = KernelLab.files(), buildID: String? = nil,
        format: VmcoreFormat = .kdump, limits: RetraceLimits = RetraceLimits(), told: Told = Told()
    ) async throws -> RetracedKernel {
        let task = try await KernelTask(dump, cutAt: bytes)
        defer { task.remove() }
        return try await task.retraced(
            kernelDump(buildID: buildID ?? Self.buildID(), format: format), files: files, root: KernelLab.root,
            limits: limits, progress: { told.add($0) })
    }

    @Test func theFunctionThatPanickedHasItsFileAndLine() async throws {
        let told = Told()
        var limits = RetraceLimits()
        limits.kernel = try KernelAnalysis(commands: ["kmem -i", "nosuchcommand"])
        let answer = try await analysed(KernelLab.dump, limits: limits, told: told)
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
        #expect(decoded.kernel.modules.count == 7 && decoded.kernel.modules.allSatisfy(\.symbols))
        #expect(decoded.kernel.taint?.isEmpty == true)
        let frame = try #require(decoded.threads.first?.frames.first { $0.function == "sysrq_handle_crash" })
        #expect(frame.file?.hasSuffix("drivers/tty/sysrq.c") == true && frame.line == 155 && frame.offset == 0x16)
        #expect(answer.text.hasPrefix("Kernel panic - not syncing: sysrq triggered crash\n"))
        #expect(answer.text.contains("== KERNEL LOG ==\n[    0.000000] Linux version 6.1.0-56-cloud-amd64"))
        // Nothing of the host stands in what the uploader reads.
        for text in [answer.text, answer.log, answer.json] {
            #expect(!text.contains(KernelLab.root.string), "\(text.prefix(500))")
        }
        #expect(try JSONSchema(named: "Backtrace").violations(of: Array(answer.json.utf8)) == [])
    }

    @Test(arguments: ["zlib", "lzo", "elf", "flat"])
    func aCulpritInAModuleHasItsFileAndLineInEveryFormat(format: String) async throws {
        let answer = try await analysed(KernelLab.oops(format), format: format == "elf" ? .elf : .kdump)
        #expect(answer.summary.rung == .full && answer.summary.crashFunction == "bictcp_cong_avoid")
        #expect(answer.summary.panic?.hasPrefix("divide error: 0000 [#1]") == true)
        #expect(answer.summary.signature.functions.prefix(2) == ["bictcp_cong_avoid", "tcp_ack"])
        let decoded = try DecodedKernel(answer.json)
        let frame = try #require(decoded.threads.first?.frames.first { $0.function == "bictcp_cong_avoid" })
        #expect(frame.module == "tcp_bic" && frame.file?.hasSuffix("net/ipv4/tcp_bic.c") == true && frame.line == 126)
        // The other processor was stopped by an interrupt that cannot be masked, and its idle loop stands once.
        #expect(decoded.threads.map(\.crashed) == [true, false] && decoded.threads.last?.name == "swapper/0")
        #expect(decoded.threads.last?.frames.count { $0.function == "native_safe_halt" } == 1)
    }

    @Test func aDumpWithoutSymbolsGivesItsLogAndTheTraceInIt() async throws {
        let answer = try await analysed(KernelLab.oops("zlib"), files: nil)
        #expect(answer.summary.rung == .logOnly && answer.results.keys.sorted() == ["log"])
        #expect(answer.summary.crashFunction == "bictcp_cong_avoid")
        let full = try await analysed(KernelLab.oops("zlib"))
        #expect(answer.summary.signature.functions.first == full.summary.signature.functions.first)
        let decoded = try DecodedKernel(answer.json)
        #expect(decoded.threads.first?.frames.first?.module == "tcp_bic" && decoded.kernel.command == "dd")
        #expect(decoded.kernel.refusals.map(\.rung) == ["full", "zero-excluded", "minimal"])
        #expect(answer.text.contains("vmlinux"))
    }

    @Test(arguments: [0, 1, 100, 5000, 1_000_000, 20_000_000, 40_000_000])
    func aDumpThatIsCutGivesWhatIsThereOrSaysWhyNot(bytes: Int) async throws {
        do {
            let answer = try await analysed(KernelLab.dump, cutAt: bytes)
            #expect(answer.summary.rung != .full)
            let refusals = try DecodedKernel(answer.json).kernel.refusals
            #expect(!refusals.isEmpty && refusals.allSatisfy { $0.reason.utf8.count > 20 }, "\(refusals)")
            #expect(answer.results["log"] != nil || answer.results["sys"] != nil)
        } catch let error as StageError {
            #expect([.vmcoreUnreadable, .crashTimeout].contains(error.code), "\(error)")
            #expect(error.advice != nil)
        }
    }

    @Test func aDumpOfZerosSaysWhyNot() async throws {
        let task = try KernelTask(bytes: [UInt8](repeating: 0, count: 1 << 20))
        defer { task.remove() }
        let error = await #expect(throws: StageError.self) {
            try await task.retraced(kernelDump(buildID: Self.buildID()), files: KernelLab.files(), root: KernelLab.root)
        }
        #expect(error?.code == .vmcoreUnreadable && error?.toolOutput?.contains("not a supported file format") == true)
        #expect(try contents(of: task.directory.log).contains("crash"))
        #expect(try !TaskDirectory.names(in: task.directory.path).contains { $0.hasPrefix("session") })
    }

    @Test func symbolsOfAnotherBuildAreRefusedAndTheLogIsStillGiven() async throws {
        let other = "00112233445566778899aabbccddeeff00112233"
        let answer = try await analysed(KernelLab.dump, buildID: other)
        #expect(answer.summary.rung == .logOnly && answer.results.keys.sorted() == ["log"])
        let reason = try #require(try DecodedKernel(answer.json).kernel.refusals.first?.reason)
        #expect(reason.contains("of another kernel") && reason.contains(other))
    }

    /// Where the dump names no build-id, the banner of the kernel is compared with what the dump and its log say.
    @Test(arguments: [("Linux version 6", "Linux version 7"), ("Debian 6.1.192-2 (", "Debian 6.1.192-3 (")])
    func symbolsOfAnotherVersionOrBuildAreRefusedWithoutABuildID(ours: String, another: String) async throws {
        let root = try ScratchDirectory()
        defer { root.remove() }
        chmod(root.path.string, 0o755)
        let changed = try await runTool([
            "sh", "-c",
            "LC_ALL=C sed 's/\(ours)/\(another)/g' \(KernelLab.root.string + KernelLab.vmlinux) > \(root.path)/vmlinux",
        ])
        #expect(changed.succeeded)
        let task = try await KernelTask(KernelLab.dump)
        defer { task.remove() }
        let files = KernelFiles(vmlinux: "/vmlinux", modules: nil, doubt: "The dump names no build-id.")
        let answer = try await task.retraced(kernelDump(), files: files, root: root.path)
        #expect(answer.summary.rung == .logOnly)
        let refusal = try #require(try DecodedKernel(answer.json).kernel.refusals.first)
        #expect(refusal.rung == "full" && refusal.reason.hasPrefix("The vmlinux at hand is of "), "\(refusal)")
    }

    @Test func symbolsThatNothingProvesAreUsedAndMarked() async throws {
        let doubt = "The dump names no build-id, so the kernel was chosen by its version."
        let task = try await KernelTask(KernelLab.dump)
        defer { task.remove() }
        let answer = try await task.retraced(kernelDump(), files: KernelLab.files(doubt: doubt), root: KernelLab.root)
        #expect(answer.summary.rung == .full && answer.summary.remarks.contains { $0.hasPrefix(doubt) })
        #expect(try DecodedKernel(answer.json).kernel.verified == false)
        #expect(answer.text.contains("is not proved") && answer.text.contains("that the log names"))
    }
}

/// The sentences of progress, in order.
final class Told: Sendable {
    private let sentences = Mutex<[String]>([])
    func add(_ sentence: String) { sentences.withLock { $0.append(sentence) } }
    var all: [String] { sentences.withLock(\.self) }
}
