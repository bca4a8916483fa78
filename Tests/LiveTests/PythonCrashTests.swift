import AsyncHTTPClient
import CrashModel
import NIOCore
import NIOHTTP1
import Sandbox
import SystemPackage
import TestFixtures
import Testing

extension LiveTests {
    /// Debian's own python3.11 with the packages and debug symbols of the real archive, through the plugin that ships.
    /// It needs the network, or an archive that this machine's apt knows, and skips itself where there is neither.
    @Suite(
        "The python crash (needs a Debian archive)",
        .enabled("apt's first source does not answer, so there is no archive to mirror from") {
            await aptAnswers()
        })
    struct PythonCrashTests {
        @Test func everyFrameOfBareGdbIsThereAndThePythonStackToo() async throws {
            let stack = try runningStack()
            let release = try ReleaseID("debian-12-x86_64")
            let end = try await stack.synchronised(release, ["python3.11"], within: .seconds(400))
            try #require(end.kind == .succeeded, "\(end)")
            let mirror = stack.repositories.appending(release.description)
            let out = stack.directory.appending("python")
            try await MadeRelease.shell(
                "'\(Stack.checkout)/demo/crash' '\(mirror)' '\(out)'", in: stack.directory)
            let problem = out.appending("problem")
            var files: [String: [UInt8]] = [:]
            for name in FolderContents.names(in: problem) {
                files[name] = try FolderContents.read(problem.appending(name))
            }
            let task = try await stack.submit(files)
            let answer = try await stack.end(of: task, within: .seconds(300))
            try #require(answer.status == "FINISHED_SUCCESS", "\(answer.text)")
            let text = try await stack.get(task, "/backtrace").body
            let frames = ReadBacktrace.seen(in: text)
            #expect(frames.joined().count { $0.place != nil } >= 20, "\(frames)")
            for name in ["read_text", "main"] {
                #expect(text.contains("crash.py\", line") && text.contains("in \(name)"))
            }
            #expect(try ReadBacktrace(try await stack.get(task, "/backtrace.json").body).seen == frames)
            try await unpackSymbols(of: mirror, into: out)
            let bare = try await MadeRelease.bareGdb(
                problem.appending("coredump"), program: "/usr/bin/python3.11", root: out.appending("root"),
                debug: out.appending("symbols/usr/lib/debug"))
            #expect(frames == ReadBacktrace.seen(in: bare))
            #expect(stack.remains() == [])
        }

        /// Nothing of the crash was mirrored before, and nothing but what it needs is mirrored for it.
        @Test func sameCrashOnAMirrorOfFirstNeedFetchesItsPackages() async throws {
            let stack = try runningStack()
            let lazy = try ReleaseID("lazydebian-12-x86_64")
            let end = try await stack.synchronised(lazy, within: .seconds(400))
            try #require(end.kind == .succeeded, "\(end)")
            let debian = try ReleaseID("debian-12-x86_64")
            _ = try await stack.synchronised(debian, ["python3.11"], within: .seconds(400))
            let out = stack.directory.appending("lazy-python")
            try await MadeRelease.shell(
                "'\(Stack.checkout)/demo/crash' '\(stack.repositories.appending(debian.description))' '\(out)'",
                in: stack.directory)
            let before = await stack.events.entries.count
            let task = try await stack.submit([
                "coredump": try FolderContents.read(out.appending("problem/coredump")),
                "executable": Array("/usr/bin/python3.11".utf8), "os_release": Array("Lazy Debian 12".utf8),
                "package": try FolderContents.read(out.appending("problem/package")),
            ])
            let answer = try await stack.end(of: task, within: .seconds(300))
            try #require(answer.status == "FINISHED_SUCCESS", "\(answer.text)")
            let fetched = try await stack.event(.fetch, .succeeded, of: task.id, from: before)
            #expect(!fetched.message.contains("could not be had"), "\(fetched)")
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            let own = backtrace.modules.first { $0.path == "/usr/bin/python3.11" }
            #expect(
                own?.status == "complete" && own?.package?.hasPrefix("python3.11-minimal-") == true, "\(own as Any)")
            // Found by its path, proved by its build-id.
            let expat = backtrace.modules.first { $0.path.contains("libexpat") }
            #expect(expat?.status == "without-debuginfo", "\(backtrace.modules)")
            let frames = backtrace.threads.first { $0.crashed }?.frames ?? []
            #expect(
                frames.count { $0.line != nil } >= 20 && frames.contains { $0.function == "_PyEval_EvalFrameDefault" })
        }

        /// The same programs as RPMs, with their debug files apart, and the script as a package without architecture: the
        /// crash is sent as one of the script.
        @Test func sameCrashOfADistributionOfRPMsComesBackWholeWithItsScript() async throws {
            let stack = try runningStack()
            let debian = try ReleaseID("debian-12-x86_64")
            let end = try await stack.synchronised(debian, ["python3.11"], within: .seconds(400))
            try #require(end.kind == .succeeded, "\(end)")
            let mirror = stack.repositories.appending(debian.description)
            let out = stack.directory.appending("rpm-python")
            try await MadeRelease.shell("'\(Stack.checkout)/demo/crash' '\(mirror)' '\(out)'", in: stack.directory)
            try await stack.plum.addPython(mirror: mirror, script: out.appending("root/crash/crash.py"))
            let synchronised = try await stack.synchronised(stack.plum.pythonRelease)
            try #require(synchronised.kind == .succeeded, "\(synchronised)")

            let core = out.appending("problem/coredump")
            let task = try await stack.submit([
                "coredump": try FolderContents.read(core), "executable": Array("/usr/bin/python3.11".utf8),
                "package": Array("crashscript-1.0-1.plum".utf8),
                "os_release": Array("Plum Test Linux release 4 (Sloe)".utf8),
            ])
            let answer = try await stack.end(of: task, within: .seconds(300))
            try #require(answer.status == "FINISHED_SUCCESS", "\(answer.text)")
            let text = try await stack.get(task, "/backtrace").body
            let backtrace = try ReadBacktrace(try await stack.get(task, "/backtrace.json").body)
            try await unpackSymbols(of: mirror, into: out)
            let bare = try await MadeRelease.bareGdb(
                core, program: "/usr/bin/python3.11", root: out.appending("root"),
                debug: out.appending("symbols/usr/lib/debug"))
            #expect(backtrace.seen == ReadBacktrace.seen(in: bare))
            let own = backtrace.modules.first { $0.path == "/usr/bin/python3.11" }
            #expect(
                own?.status == "complete" && own?.package?.hasPrefix("python3.11-minimal-") == true,
                "\(backtrace.modules)")
            // The script's own package is in the root, so that Python's stack shows its code.
            #expect(text.contains("ctypes.string_at("), "\(text.prefix(4000))")
            #expect(backtrace.remarks.contains { $0.contains("crashscript-1.0-1.plum.noarch is in the root") })
        }

        /// Bare gdb's own copy of every package of debug symbols in the mirror.
        private func unpackSymbols(of mirror: FilePath, into out: FilePath) async throws {
            let script = """
                mkdir symbols
                find '\(mirror)/pool' -name '*-dbg_*.deb' -o -name '*-dbgsym_*.deb' | while read -r file; do
                    dpkg-deb --fsys-tarfile "$file" | tar -x -C symbols --wildcards './usr/lib/debug/*' || true
                done
                """
            try await MadeRelease.shell(script, in: out)
        }
    }
}

/// Whether the first archive in this machine's apt configuration answers within a few seconds.
func aptAnswers() async -> Bool {
    let folder = FilePath("/etc/apt/sources.list.d")
    let files = FolderContents.names(in: folder).map { folder.appending($0) } + [FilePath("/etc/apt/sources.list")]
    let lines = files.flatMap { file in
        String(decoding: (try? FolderContents.read(file)) ?? [], as: UTF8.self).split(separator: "\n")
    }
    let words = lines.filter { $0.hasPrefix("URIs:") || $0.hasPrefix("deb ") }.flatMap { $0.split(separator: " ") }
    guard let address = words.first(where: { $0.hasPrefix("http") }) else { return false }
    let request = HTTPClientRequest(url: "\(address)/dists/bookworm/InRelease")
    let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(5))
    return response?.status.code == 200
}
