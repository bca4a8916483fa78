import CrashModel
import Glibc
import Sandbox
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@testable import RetraceStage

/// Cores of Debian's own programs with exactly their packages, compared with what bare gdb printed of them. The data is
/// that of others and lies outside the repository; without it the suite skips itself.
@Suite(
    "Crashes of Debian's programs (shared fixtures)",
    .enabled(if: FixtureFolder.path != nil && CrashedProgram.possible), .serialized)
struct FixtureCrashTests {
    @Test func everyFrameIsThatOfBareGdb() async throws {
        let fixtures = try #require(FixtureFolder.path)
        let scratch = try ScratchDirectory()
        defer { scratch.remove() }
        try await unpack(fixtures, into: scratch)
        for name in ["python3.11-ctypes", "python3.11-4threads-gcore", "lua5.4-bytecode", "vsftpd-accept"] {
            let answer = try await retraced(name, fixtures: fixtures, scratch: scratch)
            let expected = comparable(try contents(of: fixtures.appending("expected/\(name).bt.txt")))
            #expect(!expected.isEmpty)
            #expect(comparable(answer.text) == expected, "\(name)")
            #expect(try DecodedBacktrace(answer.json).comparable == expected, "\(name)")
            #expect(answer.summary.quality == .full)
            #expect(answer.text.contains(SectionLabel.pythonStart) == name.hasPrefix("python"))
            if name == "python3.11-ctypes" {
                #expect(answer.summary.frames == 24 && answer.summary.symbolisedFrames == 22)
                #expect(answer.text.contains("File \"<string>\", line 4, in boom"))
                #expect(answer.summary.crashFunction == "__strlen_evex")
            }
        }
    }

    @Test func librariesOfAnUnknownProgramAreSymbolisedAllTheSame() async throws {
        let fixtures = try #require(FixtureFolder.path)
        let scratch = try ScratchDirectory()
        defer { scratch.remove() }
        try await unpack(fixtures, into: scratch)
        // Neither sleep's package nor flowgrindd's libraries are among the fixtures.
        let sleep = try await retraced("sleep-nodbg", fixtures: fixtures, scratch: scratch)
        let names = try DecodedBacktrace(sleep.json).threads.first?.frames.compactMap(\.function)
        #expect(names == ["__GI___clock_nanosleep", "__GI___nanosleep"])
        let flowgrind = try await retraced("flowgrindd-2threads", fixtures: fixtures, scratch: scratch)
        let expected = comparable(try contents(of: fixtures.appending("expected/flowgrindd-2threads.bt.txt")))
        #expect(comparable(flowgrind.text).last == expected.last)
        #expect(try DecodedBacktrace(flowgrind.json).comparable == comparable(flowgrind.text))
    }

    private func unpack(_ fixtures: FilePath, into scratch: ScratchDirectory) async throws {
        chmod(scratch.path.string, 0o755)
        let script = """
            set -e; umask 022; mkdir -p root/usr/lib root/usr/lib64 packed
            for package in '\(fixtures)'/debs/*.deb; do dpkg -x "$package" packed; done
            for d in lib lib64 bin sbin; do
                if [ -d packed/$d ]; then mkdir -p root/usr/$d; cp -a packed/$d/. root/usr/$d/; fi
                ln -s usr/$d root/$d
            done
            cp -a packed/usr/. root/usr/
            """
        let result = try await runTool(["sh", "-c", script], workingDirectory: scratch.path)
        #expect(result.succeeded, "\(String(decoding: result.standardError, as: UTF8.self))")
    }

    private func retraced(_ name: String, fixtures: FilePath, scratch: ScratchDirectory) async throws -> Retraced {
        let directory = try TaskDirectory.create(in: scratch.path)
        mkdir(directory.crash.string, 0o711)
        let packed = fixtures.appending("debian-cores/\(name).core.xz")
        let unpacked = try await runTool([
            "sh", "-c", "xz -dc '\(packed)' > '\(directory.coredump)'",
        ])
        #expect(unpacked.succeeded)
        let crash = try readCrash(directory.coredump)
        let chroot = Chroot(
            crashRoot: scratch.path.appending("root").string, debugger: CrashedProgram.hostDebugger)
        let summary = try await retrace(
            crash, resolution(of: crash, withoutPrefix: "/tmp/fx/pyroot"), in: chroot, directory: directory,
            limits: RetraceLimits())
        return try Retraced(summary, directory)
    }
}
