import CrashModel
import Glibc
import Sandbox
import SystemPackage
import TestFixtures

/// A distribution of the test's own: a signed Debian archive with two programs' worth of packages made here, and with
/// the C library and the debugger of this host, packed again from its files.
struct MadeRelease: Sendable {
    let directory: FilePath
    let key: SigningKey
    let archive: DebianArchive
    let release: ReleaseID

    /// What `os_release` of a crash of this distribution says.
    static let releaseText = "Retrace Test Linux 1 (lemon)"
    static let package = "crashdemo-1.0-1"

    /// The tree that has every file of the packages in its place, debug symbols too: what bare gdb looks at.
    var root: FilePath { directory.appending("made/root") }
    /// Cores: `plain` of one thread, `threads` of two, `stranger` of a program that is in no package,
    /// `loner` of one that has no libraries either.
    func core(_ name: String) -> FilePath { directory.appending("made/cores/\(name)") }
    var archiveFolder: FilePath { directory.appending("made/archive") }

    init(in directory: FilePath) async throws {
        self.directory = directory
        release = try ReleaseID("retracetest-1-x86_64")
        try await Self.shell(Self.compilation + Self.packing, in: directory)
        key = try await SigningKey()
        do {
            // For the guardian.
            try FolderContents.write("\(key.home)\n".utf8, to: directory.appending("keyrings"))
            archive = try await Self.makeArchive(in: directory, key: key)
            try FolderContents.write(key.publicKey, to: directory.appending("keys/test.asc"))
            try FolderContents.write(
                Self.plugin(archive: directory.appending("made/archive")).utf8,
                to: directory.appending("plugins/retracetest.yaml"))
            async let plain: Void = Self.crash("crashdemo", as: "plain", in: directory)
            async let threads: Void = Self.crash("crashdemo threads", as: "threads", in: directory)
            async let stranger: Void = Self.crash("stranger", as: "stranger", in: directory)
            async let loner: Void = Self.crash("loner", as: "loner", in: directory)
            _ = try await (plain, threads, stranger, loner)
        } catch {
            try await key.remove()
            throw error
        }
    }

    private static func makeArchive(in directory: FilePath, key: SigningKey) async throws -> DebianArchive {
        var archive = try DebianArchive(in: directory.appending("made/archive"), suite: "lemon")
        let trees = directory.appending("made/trees")
        func buildID(_ name: String) throws -> String {
            let text = try FolderContents.read(directory.appending("made/\(name).build-id"))
            return String(decoding: text, as: UTF8.self).trimmingSuffix { $0.isNewline }
        }
        func add(_ name: String, _ version: String, depends: String = "", buildIDs: [String] = []) async throws {
            try await archive.addTree(
                trees.appending(name), name: name, version: version, depends: depends, buildIDs: buildIDs,
                section: buildIDs.isEmpty ? "misc" : "debug")
        }
        try await add("crashdemo", "1.0-1", depends: "libcrashdemo1, libc6")
        try await add(
            "crashdemo-dbg", "1.0-1", depends: "crashdemo (= 1.0-1)", buildIDs: [try buildID("crashdemo")])
        try await add("libcrashdemo1", "1.0-1", depends: "libc6")
        try await add(
            "libcrashdemo1-dbg", "1.0-1", depends: "libcrashdemo1 (= 1.0-1)",
            buildIDs: [try buildID("libcrashdemo.so.1")])
        try await add("libc6", "2.36-1")
        try await add("gdb", "13.1-1", depends: "libc6, gdb-libraries, gdb-python")
        try await add("gdb-libraries", "13.1-1", depends: "libc6")
        try await add("gdb-python", "13.1-1", depends: "gdb-libraries")
        try await archive.publish(signedBy: key)
        return archive
    }

    /// Runs a program in the root under gdb until its signal comes, and keeps the core.
    static func crash(_ command: String, as name: String, in directory: FilePath) async throws {
        let cores = directory.appending("made/cores")
        let result = try await runSandboxed(
            SandboxedCommand(
                root: directory.appending("made/root"),
                binds: [
                    SandboxBind("/usr", at: "/.retrace"), SandboxBind(cores, at: "/.cores", writable: true),
                ],
                environment: ["PYTHONHOME": "/.retrace", "LC_ALL": "C.UTF-8"],
                arguments: [
                    "/.retrace/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "--library-path",
                    "/.retrace/lib/x86_64-linux-gnu", "/.retrace/bin/gdb", "-nx", "-batch", "-iex",
                    "set startup-with-shell off", "--data-directory", "/.retrace/share/gdb", "-ex",
                    "run " + command.split(separator: " ").dropFirst().joined(separator: " "), "-ex",
                    "generate-core-file /.cores/\(name)", "/usr/bin/" + command.prefix { $0 != " " },
                ]), limits: SandboxLimits(wallTime: .seconds(180)))
        guard access(cores.appending(name).string, R_OK) == 0 else {
            throw Stack.Failure(
                description: "gdb made no core of \(command): "
                    + String(decoding: result.standardOutput + result.standardError, as: UTF8.self))
        }
    }

    /// Bare gdb's stacks of a core on the same files.
    func bareGdb(_ core: FilePath, program: String = "/usr/bin/crashdemo") async throws -> String {
        try await Self.bareGdb(core, program: program, root: root, debug: root.appending("usr/lib/debug"))
    }

    static func bareGdb(_ core: FilePath, program: String, root: FilePath, debug: FilePath) async throws -> String {
        let result = try await runTool(
            [
                "gdb", "-nx", "-batch", "-iex", "set sysroot \(root)", "-iex", "set width 0", "-iex",
                "set debug-file-directory \(debug)", "-ex", "thread apply all backtrace full", "\(root)\(program)",
                core.string,
            ], limits: SandboxLimits(wallTime: .seconds(120)))
        return String(decoding: result.standardOutput, as: UTF8.self)
    }

    /// Runs a script of sh, which ends at its first error.
    @discardableResult
    static func shell(_ script: String, in directory: FilePath) async throws -> String {
        let result = try await runTool(
            ["sh", "-ec", "umask 022\n" + script],
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"],
            workingDirectory: directory, limits: SandboxLimits(wallTime: .seconds(300), outputBytes: 64 << 20))
        guard result.succeeded else {
            throw Stack.Failure(
                description:
                    "\(script)\n\(result.termination): \(String(decoding: result.standardError, as: UTF8.self))")
        }
        return String(decoding: result.standardOutput, as: UTF8.self)
    }

    static func plugin(archive: FilePath) -> String {
        """
        distribution: retracetest
        display-name: Retrace Test Linux
        display-release: Retrace Test Linux
        package-format: deb
        versions: [{ version: '1', codename: lemon }]
        architectures: [x86_64]
        recognise:
          release-text: ['^Retrace Test Linux ([0-9]+)']
          os-release: { id: [retracetest], version: '^([0-9]+)' }
          package: ['[+]retracetest([0-9]+)$']
          examples: {}
        debugger: { package: gdb, executable: /usr/bin/gdb }
        keys: [test.asc]
        repositories:
          - name: main
            suite: $CODENAME
            components: [main]
            mirrors: ['file://\(archive)']

        """
    }
}

extension String {
    /// Without what fits at its end.
    func trimmingSuffix(_ fits: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, fits(last) { text.removeLast() }
        return String(text)
    }
}
