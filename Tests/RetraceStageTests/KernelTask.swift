import CrashModel
import Glibc
import RetraceStage
import Sandbox
import SystemPackage
import TaskStorage
import TestFixtures

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

    /// With a dump of others: a link to it, or a copy where it is on another file system.
    init(_ dump: FilePath) async throws {
        try self.init()
        let target = directory.crash.appending("vmcore")
        if link(dump.string, target.string) == 0 { return }
        let copied = try await runTool(["cp", "--sparse=always", dump.string, target.string])
        guard copied.succeeded else { throw Errno.ioError }
    }

    /// With the beginning of a dump, and behind it as many zeros as the whole one is longer, or nothing.
    init(_ dump: FilePath, cutAt bytes: Int, filledUp: Bool = false) throws {
        guard let file = try ResultFile(at: dump) else { throw Errno.noSuchFileOrDirectory }
        try self.init(bytes: try file.read(at: 0, count: min(file.byteCount, bytes)))
        guard filledUp else { return }
        let path = directory.crash.appending("vmcore")
        guard truncate(path.string, off_t(file.byteCount)) == 0 else { throw Errno(rawValue: errno) }
    }

    init(bytes: [UInt8]) throws {
        try self.init()
        try put(bytes, at: directory.crash.appending("vmcore"), mode: 0o600)
    }

    func remove() { scratch.remove() }

    /// What is retraced, as ingest would say it.
    func crash(_ kernel: KernelDump) -> Crash {
        let image = "/boot/vmlinuz-\(kernel.release?.description ?? "unknown")"
        return Crash(
            kind: .vmcore, architecture: .x86_64, reported: ReportedCrash(), executable: image, threadCount: 0,
            modules: [
                LoadedModule(path: image, buildID: kernel.buildID, start: 0, end: 0, kind: .executable)
            ], kernel: kernel)
    }

    func retraced(
        _ kernel: KernelDump, files: KernelFiles?, root: FilePath, debugger: DebuggerRoot?, remarks: [String] = [],
        limits: RetraceLimits = RetraceLimits(), progress: @Sendable (String) async -> Void = { _ in }
    ) async throws -> RetracedKernel {
        let crash = crash(kernel)
        let summary = try await retrace(
            crash, resolution(of: crash),
            in: Chroot(
                crashRoot: root.string, debugger: debugger, remarks: remarks, kernel: files),
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

/// What ingest says of a dump.
func kernelDump(
    release: String = "6.1.0-56-cloud-amd64", buildID: String? = nil, format: VmcoreFormat = .kdump,
    dumpLevel: Int? = nil
) throws -> KernelDump {
    KernelDump(
        format: format, release: try KernelRelease(release), releaseEvidence: "The test says so.",
        buildID: try buildID.map { try BuildID($0) }, dumpLevel: dumpLevel)
}
