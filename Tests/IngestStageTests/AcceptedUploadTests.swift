import Archives
import CrashModel
import IngestStage
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite struct AcceptedUploadTests {
    static let kinds: [(type: String, compression: ArchiveWriter.Compression)] = [
        ("application/x-xz-compressed-tar", .xz(level: 2)), ("application/x-gzip", .gzip), ("application/zstd", .zstd),
        ("application/x-tar", .none), ("application/x-tar", .xz(level: 0)), ("application/x-tar", .gzip),
        ("application/x-tar", .zstd),
    ]

    @Test(arguments: kinds)
    func uploadBecomesACrash(_ kind: (type: String, compression: ArchiveWriter.Compression)) throws {
        try SentUpload.with(CrashFiles().packed(kind.compression)) { upload in
            upload.contentType = kind.type
            let crash = try upload.verdict().get()
            #expect(crash.kind == .coredump)
            #expect(crash.architecture == .x86_64)
            #expect(crash.executable == "/usr/bin/demo")
            #expect(crash.signal == CrashSignal(number: 11))
            #expect(crash.processID == 4710)
            #expect(crash.modules.map(\.path) == ["/usr/bin/demo"])
            #expect(
                crash.reported
                    == ReportedCrash(
                        executable: "/usr/bin/demo", package: "demo-1.2-3", osRelease: "Fedora release 40 (Forty)"))
            #expect(
                upload.leftovers == [
                    "crash", "crash/coredump", "crash/executable", "crash/os_release", "crash/package",
                ])
        }
    }

    @Test func namesMayBeginWithADotAndTheDirectoryMayBeThere() throws {
        var tar = TarBuilder()
        tar.add("./", type: "5", mode: 0o755)
        for (name, content) in CrashFiles().files { tar.add("./" + name, content: content, mode: 0o4777) }
        try SentUpload.with(tar.archive) { upload in
            _ = try upload.verdict().get()
            let mode = FolderContents.status(upload.directory.coredump).map { $0.mode & 0o7777 }
            #expect(mode == 0o600)
            #expect(FolderContents.status(upload.directory.crash).map { $0.mode & 0o7777 } == 0o711)
        }
    }

    @Test func listOfPackagesIsLookedOver() throws {
        let files = CrashFiles().replacing("packages", with: Array("'); import os".utf8))
        try SentUpload.with(files.tar.archive) { upload in
            _ = try upload.verdict().get()
            #expect(!upload.leftovers.contains("crash/packages"))
        }
    }

    @Test func allTextsAreReadTrimmedAndBlankOnesAreNone() throws {
        let osRelease = "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID=\"12\"\n"
        let files = CrashFiles().replacing("os_release", with: Array(osRelease.utf8))
            .replacing("release", with: Array("  \n".utf8))
            .replacing("rootdir", with: Array("\t/var/lib/containers/přes \r\n".utf8))
            .replacing("os_release_in_rootdir", with: Array("Fedora release 39 (Thirty Nine)".utf8))
        try SentUpload.with(files.tar.archive) { upload in
            let reported = try upload.verdict().get().reported
            #expect(reported.osRelease == String(osRelease.dropLast()))
            #expect(reported.release == nil)
            #expect(reported.rootDirectory == "/var/lib/containers/přes")
            #expect(reported.osReleaseInRootDirectory == "Fedora release 39 (Thirty Nine)")
        }
    }

    @Test func zerosOfACoreBecomeHoles() throws {
        let core = sampleCore(memory: [UInt8](repeating: 0, count: 16 << 20) + [1])
        try SentUpload.with(CrashFiles().replacing("coredump", with: core).packed(.zstd)) { upload in
            upload.contentType = "application/zstd"
            var reported: [Int64] = []
            _ = try upload.verdict { reported.append($0) }.get()
            let status = try #require(FolderContents.status(upload.directory.coredump))
            #expect(status.size == core.count)
            #expect(status.allocated < 1 << 20)
            let stored = try FolderContents.read(upload.directory.coredump)
            #expect(stored == core)
            #expect(reported.count >= 2 && reported == reported.sorted())
        }
    }

    @Test func sparseTarOfModestSizeIsTaken() throws {
        var tar = CrashFiles().removing("coredump").tar
        tar.addGNUSparse("coredump", realSize: 8 << 20, content: sampleCore())
        try SentUpload.with(tar.archive) { upload in
            _ = try upload.verdict().get()
            #expect(FolderContents.status(upload.directory.coredump)?.size == 8 << 20)
        }
    }

    @Test func sizeThatTheCompressionClaimsChangesNothing() throws {
        var bytes = try CrashFiles().packed(.gzip)
        bytes.replaceSubrange((bytes.count - 4)..., with: [0xff, 0xff, 0xff, 0xff])
        try SentUpload.with(bytes) { upload in
            upload.contentType = "application/x-gzip"
            _ = try upload.verdict().get()
        }
    }

    @Test func jobDeliveredAgainGivesTheSameCrash() throws {
        try SentUpload.with(CrashFiles().tar.archive) { upload in
            let first = try upload.verdict().get()
            let second = try upload.verdict().get()
            #expect(first == second)
        }
    }

    @Test func whatAKilledWorkerLeftIsReplaced() throws {
        try SentUpload.with(CrashFiles().tar.archive) { upload in
            let partial = upload.directory.path.appending("crash.partial")
            try FileSystemSetup.makeDirectory(partial)
            try FolderContents.write([1, 2, 3], to: partial.appending("coredump"))
            _ = try upload.verdict().get()
            #expect(!upload.leftovers.contains("crash.partial"))
        }
    }

    @Test func twoDeliveriesAtOnceBothSucceed() async throws {
        let spool = try ScratchDirectory()
        defer { spool.remove() }
        let directory = TaskDirectory(try TaskID("123456789"), in: spool.path)
        try FileSystemSetup.makeDirectory(directory.path)
        let core = sampleCore(memory: [UInt8](repeating: 0x55, count: 4 << 20))
        try FolderContents.write(
            CrashFiles().replacing("coredump", with: core).tar.archive, to: directory.upload)
        let crashes = try await withThrowingTaskGroup(of: Crash.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    try ingest(
                        Upload(directory, contentType: "application/x-tar", taskType: 0),
                        limits: IngestLimits(minFreeBytes: 0))
                }
            }
            return try await group.reduce(into: Set<Crash>()) { $0.insert($1) }
        }
        #expect(crashes.count == 1)
        let size = FolderContents.status(directory.coredump)?.size
        #expect(size == Int64(core.count))
    }

    @Test func clientThatNamesAnotherProgramIsRemarked() throws {
        let files = CrashFiles().replacing("executable", with: Array("/usr/bin/other".utf8))
        try SentUpload.with(files.tar.archive) { upload in
            let crash = try upload.verdict().get()
            #expect(crash.executable == "/usr/bin/demo")
            #expect(crash.remarks.contains { $0.contains("/usr/bin/other") })
        }
    }
}
