import Coredumps
import CrashModel
import ELF
import Glibc
import Sandbox
import SystemPackage
import TaskStorage
import TestFixtures

@testable import RetraceStage

/// A program compiled by the test, the root that it crashed in, and its core, made by gdb in a sandbox of that root.
struct CrashedProgram {
    let scratch: ScratchDirectory
    var root: FilePath { scratch.path.appending("root") }
    var core: FilePath { scratch.path.appending("made/core") }

    /// Whether this host can compile, debug and sandbox.
    static let possible = ["/usr/bin/gcc", "/usr/bin/g++", "/usr/bin/gdb", "/usr/bin/bwrap"].allSatisfy {
        (path: String) in
        access(path, X_OK) == 0
    }

    /// Compiles `source` as `/usr/bin/crashdemo` of a root with the host's libraries, runs it under gdb until its signal
    /// comes, and keeps the core.
    init(_ source: String, compiler: [String] = ["gcc", "-g", "-O0", "-pthread"], extension: String = "c") async throws
    {
        scratch = try ScratchDirectory()
        chmod(scratch.path.string, 0o755)
        let file = scratch.path.appending("crashdemo.\(`extension`)")
        try put(source, at: file)
        let script = """
            set -e; umask 022
            mkdir -p root/usr/bin root/usr/lib/x86_64-linux-gnu root/usr/lib64 made
            for d in bin lib lib64; do ln -s usr/$d root/$d; done
            \(compiler.joined(separator: " ")) -Wl,--build-id -o root/usr/bin/crashdemo crashdemo.\(`extension`)
            cp /bin/sh root/usr/bin/sh; cp /bin/sleep root/usr/bin/sleep; cp /bin/cat root/usr/bin/cat
            for f in $(ldd root/usr/bin/crashdemo root/usr/bin/sh | grep -o '/[^ :]*\\.so[^ :]*' | sort -u); do
                cp -L $f root/usr/lib/x86_64-linux-gnu/
            done
            cp -L /lib/x86_64-linux-gnu/libthread_db.so.1 root/usr/lib/x86_64-linux-gnu/
            cp -L /lib64/ld-linux-x86-64.so.2 root/usr/lib64/
            chmod 777 made
            """
        let built = try await runTool(
            ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"], workingDirectory: scratch.path)
        guard built.succeeded else {
            throw SandboxError(.setupFailed, String(decoding: built.standardError, as: UTF8.self))
        }
        let debugger = Self.hostDebugger
        let made = try await runSandboxed(
            SandboxedCommand(
                root: root,
                binds: [
                    SandboxBind("/usr", at: "/.retrace"),
                    SandboxBind(scratch.path.appending("made"), at: "/.made", writable: true),
                ],
                environment: ["PYTHONHOME": "/.retrace", "LC_ALL": "C.UTF-8"],
                arguments: [
                    "/.retrace" + debugger.loader, "--library-path", "/.retrace/lib/x86_64-linux-gnu",
                    "/.retrace/bin/gdb", "-nx", "-batch", "-iex", "set startup-with-shell off",
                    "--data-directory", "/.retrace/share/gdb", "-ex", "run", "-ex", "generate-core-file /.made/core",
                    "/usr/bin/crashdemo",
                ]), limits: SandboxLimits(wallTime: .seconds(180)))
        guard access(core.string, R_OK) == 0 else {
            let said = String(decoding: made.standardOutput + made.standardError, as: UTF8.self)
            throw SandboxError(.setupFailed, "gdb made no core: \(said)")
        }
    }

    func remove() { scratch.remove() }

    /// The host's own gdb, with `/usr` as its root.
    static let hostDebugger = DebuggerRoot(
        directory: "/usr", executable: "/bin/gdb", loader: "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
        libraryPath: ["/lib/x86_64-linux-gnu", "/lib"], dataDirectory: "/share/gdb", pythonHome: "",
        package: nevra("gdb"))

    /// A debugger that is a shell script.
    func standIn(_ script: String) throws -> DebuggerRoot {
        let directory = scratch.path.appending("stand-in")
        mkdir(directory.string, 0o755)
        try put("#!/bin/sh\n" + script, at: directory.appending("ld"), mode: 0o755)
        return DebuggerRoot(
            directory: directory.string, executable: "/gdb", loader: "/ld", libraryPath: ["/lib"], dataDirectory: nil,
            pythonHome: nil, package: nevra("gdb"))
    }

    /// A task that holds `core`, or this program's.
    func task(_ bytes: [UInt8]? = nil) throws -> TaskDirectory {
        let directory = try TaskDirectory.create(in: scratch.path)
        mkdir(directory.crash.string, 0o711)
        if let bytes {
            try put(bytes, at: directory.coredump, mode: 0o600)
        } else {
            guard link(core.string, directory.coredump.string) == 0 else { throw Errno(rawValue: errno) }
        }
        return directory
    }

    func chroot(_ debugger: DebuggerRoot = hostDebugger) -> Chroot {
        Chroot(crashRoot: root.string, debugger: debugger)
    }

    /// Retraces the core in a task of its own.
    func retraced(
        with debugger: DebuggerRoot = hostDebugger, limits: RetraceLimits = RetraceLimits(), core bytes: [UInt8]? = nil,
        truncation: CoreTruncation? = nil
    ) async throws -> Retraced {
        let directory = try task(bytes)
        let whole = try readCrash(core)
        let crash = Crash(
            kind: whole.kind, architecture: whole.architecture, reported: whole.reported, executable: whole.executable,
            signal: whole.signal, threadCount: whole.threadCount, modules: whole.modules, truncation: truncation)
        let summary = try await retrace(
            crash, resolution(of: crash), in: chroot(debugger), directory: directory, limits: limits)
        return try Retraced(summary, directory)
    }
}

/// What a retrace left behind.
struct Retraced {
    let summary: RetraceSummary
    let text: String
    let json: String
    let log: String
    let exploitable: String

    init(_ summary: RetraceSummary, _ directory: TaskDirectory) throws {
        self.summary = summary
        text = try contents(of: directory.backtrace)
        json = try contents(of: directory.backtraceJSON)
        log = try contents(of: directory.log)
        exploitable = try contents(of: directory.results.appending("exploitable"))
    }
}

func nevra(_ name: String) -> NEVRA {
    do {
        return try NEVRA(name: name, version: "1.0", release: "1", architecture: "amd64")
    } catch {
        preconditionFailure("\(error)")
    }
}

/// The crash as ingest would read it.
func readCrash(_ core: FilePath) throws -> Crash {
    let coredump = try readCoredump(FileByteSource(core))
    return Crash(
        kind: .coredump, architecture: coredump.architecture, reported: ReportedCrash(),
        executable: coredump.executable ?? "", commandLine: coredump.commandLine, signal: coredump.signal,
        processID: coredump.processID, threadCount: coredump.threads.count, modules: coredump.modules,
        truncation: coredump.truncation, remarks: coredump.remarks)
}

/// Every module from a package of its own name, all complete but libraries, which have no debuginfo.
///
/// - Parameter prefix: The path of the chroot in which the process ran, as the kernel saw it.
func resolution(of crash: Crash, withoutPrefix prefix: String = "") throws -> Resolution {
    Resolution(
        releaseID: try ReleaseID("debian-12-x86_64"), releaseEvidence: "The test says so.",
        modules: try crash.modules.map { module in
            guard module.kind != .virtual else { return ResolvedModule(module: module, status: .virtual) }
            let name = module.path.split(separator: "/").last.map(String.init) ?? "unknown"
            let package = try NEVRA(name: name, version: "1.0", release: "1", architecture: "amd64")
            return ResolvedModule(
                module: module, status: module.kind == .executable ? .complete : .withoutDebuginfo,
                binary: PackagedFile(
                    nevra: package,
                    path: module.path.hasPrefix(prefix) ? String(module.path.dropFirst(prefix.count)) : module.path),
                reason: module.kind == .executable ? nil : "No package of debuginfo has this build-id.")
        }, packages: [])
}

func put(_ text: String, at path: FilePath, mode: CInterop.Mode = 0o644) throws {
    try put(Array(text.utf8), at: path, mode: mode)
}

func put(_ bytes: [UInt8], at path: FilePath, mode: CInterop.Mode = 0o644) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: mode))
    try file.closeAfter { _ = try file.writeAll(bytes) }
}

func contents(of path: FilePath) throws -> String {
    guard let file = try ResultFile(at: path) else { throw Errno.noSuchFileOrDirectory }
    return String(decoding: try file.read(at: 0, count: file.byteCount), as: UTF8.self)
}
