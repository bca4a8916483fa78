import Archives
import CrashModel
import IngestStage
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

/// A core of Debian's own python3.11, which lies beside the checkout on the project's machines and is never copied into
/// it; the suite skips itself where it is absent.
@Suite(.enabled(if: FixtureFolder.path != nil)) struct RealCrashTests {
    @Test func coreOfDebiansPythonIsRead() throws {
        let compressed = try #require(FixtureFolder.path).appending("debian-cores/python3.11-ctypes.core.xz")
        try ScratchDirectory.with { folder in
            let core = folder.appending("core")
            try decompressFile(compressed, to: core, limit: 64 << 20)
            let bytes = try FolderContents.read(core)
            let files = CrashFiles().replacing("coredump", with: bytes)
                .replacing("executable", with: Array("/usr/bin/python3.11".utf8))
                .replacing("package", with: Array("python3.11-minimal-3.11.2-6+deb12u9".utf8))
                .replacing(
                    "os_release", with: Array("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n".utf8))
            try SentUpload.with(files.packed(.xz(level: 2))) { upload in
                upload.contentType = "application/x-xz-compressed-tar"
                let crash = try upload.verdict().get()
                #expect(crash.executable.hasSuffix("/usr/bin/python3.11"))
                #expect(crash.architecture == .x86_64)
                #expect(crash.signal?.description == "SIGSEGV")
                #expect(crash.modules.count > 5)
                #expect(crash.modules.allSatisfy { $0.buildID != nil })
                #expect(crash.truncation == nil)
                let stored = try FolderContents.read(upload.directory.path.appending("crash/coredump"))
                #expect(stored == bytes)
            }
        }
    }
}
