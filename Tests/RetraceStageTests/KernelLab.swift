import CrashModel
import Glibc
import RetraceStage
import SystemPackage
import TaskStorage
import TestFixtures

/// Real kernel dumps and the debug symbols of their kernel, which lie beside the checkout where they were made
/// (`.ci/make-vmcore`, and `dpkg -x` of linux-image-*-dbg into `dbg`).
enum KernelLab {
    static let release = "6.1.0-56-cloud-amd64"

    static let path: FilePath = {
        var checkout = FilePath(#filePath)
        for _ in 0..<3 { checkout.removeLastComponent() }
        return checkout.removingLastComponent().appending("lab")
    }()

    /// The crash root: the package of symbols.
    static var root: FilePath { path.appending("dbg") }
    static let vmlinux = "/usr/lib/debug/boot/vmlinux-\(release)"
    static let modules = "/usr/lib/debug/lib/modules/\(release)"
    /// sysrq-c, one processor.
    static var dump: FilePath { path.appending("fixture.vmcore") }
    /// Division by zero in the module tcp_bic, two processors, and the same in other formats.
    static func oops(_ format: String) -> FilePath { path.appending("vmcores/vmcore-oops.\(format)") }

    /// Whether the dumps, the symbols, crash and the sandbox are here.
    static let isThere = [
        root.string + vmlinux, dump.string, oops("zlib").string, "/usr/bin/crash", "/usr/bin/bwrap",
    ].allSatisfy { (path: String) in access(path, R_OK) == 0 }

    /// The host's own crash utility.
    static let hostCrash = DebuggerRoot(
        directory: "/", executable: "/usr/bin/crash", loader: "/lib64/ld-linux-x86-64.so.2",
        libraryPath: ["/lib/x86_64-linux-gnu"], dataDirectory: nil, pythonHome: nil, package: nevra("crash"))

    static func files(doubt: String? = nil) -> KernelFiles {
        KernelFiles(vmlinux: vmlinux, modules: modules, doubt: doubt)
    }
}

/// A task that holds a kernel's dump.
struct KernelTask {
    let scratch: ScratchDirectory
    let directory: TaskDirectory

    init() throws {
        scratch = try ScratchDirectory()
        chmod(scratch.path.string, 0o755)
        directory = try TaskDirectory.create(in: scratch.path)
        mkdir(directory.crash.string, 0o711)
    }

    /// With a dump of others, linked or copied.
    init(_ dump: FilePath, cutAt bytes: Int? = nil) async throws {
        try self.init()
        let target = directory.crash.appending("vmcore")
        if bytes == nil, link(dump.string, target.string) == 0 { return }
        guard let file = try ResultFile(at: dump) else { throw Errno.noSuchFileOrDirectory }
        try put(try file.read(at: 0, count: min(file.byteCount, bytes ?? .max)), at: target, mode: 0o600)
    }

    init(bytes: [UInt8]) throws {
        try self.init()
        try put(bytes, at: directory.crash.appending("vmcore"), mode: 0o600)
    }

    func remove() { scratch.remove() }

    /// What is retraced, as ingest would say it.
    func crash(_ kernel: KernelDump) -> Crash {
        Crash(
            kind: .vmcore, architecture: .x86_64, reported: ReportedCrash(),
            executable: "/boot/vmlinuz-\(KernelLab.release)", threadCount: 0,
            modules: [
                LoadedModule(
                    path: "/boot/vmlinuz-\(KernelLab.release)", buildID: kernel.buildID, start: 0, end: 0,
                    kind: .executable)
            ], kernel: kernel)
    }

    func retraced(
        _ kernel: KernelDump, files: KernelFiles?, root: FilePath, debugger: DebuggerRoot = KernelLab.hostCrash,
        limits: RetraceLimits = RetraceLimits(), progress: @Sendable (String) async -> Void = { _ in }
    ) async throws -> RetracedKernel {
        let crash = crash(kernel)
        let summary = try await retrace(
            crash, resolution(of: crash), in: Chroot(crashRoot: root.string, debugger: debugger, kernel: files),
            directory: directory, limits: limits, progress: progress)
        return try RetracedKernel(summary, directory)
    }
}

/// What the retrace of a kernel left behind.
struct RetracedKernel {
    let summary: RetraceSummary
    let text: String
    let json: String
    let log: String
    let results: [String: String]
    /// Whatever else is in the task's folder.
    let names: [String]

    init(_ summary: RetraceSummary, _ directory: TaskDirectory) throws {
        self.summary = summary
        text = try contents(of: directory.backtrace)
        json = try contents(of: directory.backtraceJSON)
        log = try contents(of: directory.log)
        var results: [String: String] = [:]
        for name in try TaskDirectory.names(in: directory.results) {
            results[name] = try contents(of: directory.results.appending(name))
        }
        self.results = results
        names = try TaskDirectory.names(in: directory.path).sorted()
    }
}

/// A dump of the lab's kernel.
func kernelDump(
    buildID: String? = nil, format: VmcoreFormat = .kdump, modules: [String]? = nil, panic: String? = nil,
    dumpLevel: Int? = nil
) throws -> KernelDump {
    KernelDump(
        format: format, release: try KernelRelease(KernelLab.release), releaseEvidence: "The test says so.",
        buildID: try buildID.map { try BuildID($0) }, dumpLevel: dumpLevel, modules: modules, panic: panic)
}
