import Archives
import CrashModel
import Glibc
import IngestStage
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

/// Dumps of kernels in every wrapping in which they may come.
@Suite struct KernelUploadTests {
    private func tar(_ files: [(String, [UInt8])]) -> TarBuilder {
        files.reduce(into: TarBuilder()) { $0.add($1.0, content: $1.1) }
    }

    private func read(
        _ bytes: [UInt8], as type: String = "application/octet-stream", check: (SentUpload, Crash) throws -> Void
    ) throws {
        try SentUpload.with(bytes) { upload in
            upload.taskType = 2
            upload.contentType = type
            let crash = try upload.verdict().get()
            #expect(crash.kind == .vmcore)
            #expect(crash.kernel?.release?.description == sampleRelease)
            #expect(crash.executable == "/boot/vmlinuz-\(sampleRelease)")
            #expect(crash.modules.map(\.buildID?.description) == ["0102030405060708"])
            try check(upload, crash)
        }
    }

    @Test func plainDumpIsOnlyGivenItsName() throws {
        try SentUpload.with(sampleVmcore()) { upload in
            let before = try #require(FolderContents.status(upload.directory.upload)).inode
            upload.taskType = 2
            upload.contentType = "application/octet-stream"
            _ = try upload.verdict().get()
            #expect(FolderContents.status(upload.directory.crash.appending("vmcore"))?.inode == before)
            #expect(upload.leftovers == ["crash", "crash/vmcore"])
            // A second delivery of the job finds the same.
            #expect(try upload.verdict().get().kernel?.release?.description == sampleRelease)
        }
    }

    @Test(arguments: Wrapping.allCases) func compressedDumpIsUnpackedWithAndWithoutATar(_ wrapping: Wrapping) throws {
        for content in [sampleVmcore(), tar([("vmcore", sampleVmcore())]).archive] {
            try read(wrapping.pack(content), as: wrapping.mediaType) { upload, _ throws in
                let written = try FolderContents.read(upload.directory.crash.appending("vmcore"))
                #expect(written == sampleVmcore())
            }
        }
    }

    enum Wrapping: String, CaseIterable {
        case gzip, xz, zstd

        var mediaType: String {
            switch self {
            case .gzip: "application/x-gzip"
            case .xz: "application/x-xz-compressed-tar"
            case .zstd: "application/zstd"
            }
        }

        func pack(_ bytes: [UInt8]) throws -> [UInt8] {
            switch self {
            case .gzip: try compressed(bytes, .gzip)
            case .xz: try compressed(bytes, .xz)
            case .zstd: try compressed(bytes, .zstd)
            }
        }
    }

    @Test func textsBesideTheDumpAreRead() throws {
        let files = tar([("vmcore", sampleVmcore()), ("os_release", Array("Debian GNU/Linux 12 (bookworm)\n".utf8))])
        try read(files.archive, as: "application/x-tar") { _, crash in
            #expect(crash.reported.osRelease == "Debian GNU/Linux 12 (bookworm)")
        }
    }

    @Test func flattenedDumpIsPutInOrderOnce() throws {
        let dump = sampleVmcore()
        let flat = sampleFlattened(
            stride(from: 0, to: dump.count, by: 1000).map { (Int64($0), Array(dump[$0..<min($0 + 1000, dump.count)])) })
        try read(flat) { upload, crash throws in
            #expect(crash.kernel?.format == .elf)
            #expect(try FolderContents.read(upload.directory.crash.appending("vmcore")) == dump)
            #expect(upload.leftovers == ["crash", "crash/vmcore"])
        }
    }

    @Test func dumpOnTheServerIsLinkedAndNeverCopied() throws {
        try SentUpload.with([]) { upload in
            let file = upload.directory.path.removingLastComponent().appending("theirs")
            try FolderContents.write(sampleVmcore(), to: file)
            unlink(upload.directory.upload.string)
            upload.taskType = 4
            upload.contentType = "application/octet-stream"
            upload.serverPath = file.string
            let crash = try upload.verdict().get()
            #expect(crash.kernel?.file == "vmcore")
            let linked = FolderContents.status(upload.directory.crash.appending("vmcore"))
            #expect(linked?.inode == FolderContents.status(file)?.inode)
            // Whoever keeps dumps knows by the mark that the file is not the task's own.
            #expect(upload.leftovers == ["crash", "crash/vmcore", "crash/vmcore.linked"])
            #expect(upload.directory.hasLinkedDump)
            try upload.directory.removeDump()
            #expect(try FolderContents.read(file) == sampleVmcore())
        }
    }

    @Test func flattenedDumpOnTheServerBecomesTheTasksOwn() throws {
        try SentUpload.with([]) { upload in
            let file = upload.directory.path.removingLastComponent().appending("theirs")
            let flat = sampleFlattened([(0, sampleVmcore())])
            try FolderContents.write(flat, to: file)
            unlink(upload.directory.upload.string)
            upload.taskType = 4
            upload.contentType = "application/octet-stream"
            upload.serverPath = file.string
            #expect(try upload.verdict().get().kernel?.format == .elf)
            #expect(upload.leftovers == ["crash", "crash/vmcore"] && !upload.directory.hasLinkedDump)
            #expect(try FolderContents.read(file) == flat)
        }
    }

    /// crash looks for the memory of VMware's machine beside the snapshot, under the same name.
    @Test(arguments: ["vmss", "vmsn"]) func snapshotOnTheServerBringsItsMemoryAlong(_ suffix: String) throws {
        try SentUpload.with([]) { upload in
            let folder = upload.directory.path.removingLastComponent()
            let (snapshot, memory) = (folder.appending("machine.\(suffix)"), folder.appending("machine.vmem"))
            try FolderContents.write([0xd2, 0xbe, 0xd2, 0xbe] + [UInt8](repeating: 0, count: 200), to: snapshot)
            try FolderContents.write("OSRELEASE=\(sampleRelease)\0".utf8, to: memory)
            unlink(upload.directory.upload.string)
            upload.taskType = 4
            upload.contentType = "application/octet-stream"
            upload.serverPath = snapshot.string
            let crash = try upload.verdict().get()
            #expect(crash.kernel?.file == "vmcore.\(suffix)" && crash.kernel?.memoryFile == "vmcore.vmem")
            #expect(crash.kernel?.release?.description == sampleRelease)
            let linked = FolderContents.status(upload.directory.crash.appending("vmcore.vmem"))
            #expect(linked?.inode == FolderContents.status(memory)?.inode)
        }
    }

    /// Another file system than the tasks': neither of the two can be linked, and both are read where they lie.
    @Test(.enabled(if: FolderContents.status(FilePath("/dev/shm")) != nil, "needs a second file system"))
    func snapshotOnAnotherFileSystemIsNamedByItsPath() throws {
        let folder = FilePath("/dev/shm/retrace-test-\(UInt32.random(in: 0 ... .max))")
        #expect(mkdir(folder.string, 0o700) == 0)
        let (snapshot, memory) = (folder.appending("machine.vmss"), folder.appending("machine.vmem"))
        defer {
            for file in [snapshot, memory] { unlink(file.string) }
            rmdir(folder.string)
        }
        try FolderContents.write([0xd2, 0xbe, 0xd2, 0xbe] + [UInt8](repeating: 0, count: 200), to: snapshot)
        try FolderContents.write("OSRELEASE=\(sampleRelease)\0".utf8, to: memory)
        try SentUpload.with([]) { upload in
            unlink(upload.directory.upload.string)
            upload.taskType = 2
            upload.contentType = "application/octet-stream"
            upload.serverPath = snapshot.string
            let crash = try upload.verdict().get()
            let kernel = try #require(crash.kernel)
            #expect(kernel.release?.description == sampleRelease)
            #expect(upload.directory.dumps(of: kernel) == [snapshot, memory])
            #expect(!upload.directory.hasLinkedDump)
            try upload.directory.removeDump()
            #expect(FolderContents.status(snapshot) != nil && FolderContents.status(memory) != nil)
        }
    }

    private static let snapshot: [UInt8] = [0xd2, 0xbe, 0xd2, 0xbe] + [UInt8](repeating: 0, count: 200)
    private static let memory = Array("OSRELEASE=\(sampleRelease)\0".utf8)

    /// Whatever of the three comes first in the archive.
    @Test(arguments: [
        (["vmcore", "vmcore.vmem"], "vmcore.vmss"), (["vmcore.vmem", "vmcore"], "vmcore.vmss"),
        (["vmcore.vmsn", "vmcore.vmem"], "vmcore.vmsn"), (["vmcore", "vmcore.vmem", "vmcore.vmss"], "vmcore.vmss"),
    ])
    func snapshotHasTheNameByWhichItsMemoryIsFound(_ names: [String], _ file: String) throws {
        let members = names.map { ($0, $0.hasSuffix("vmem") ? Self.memory : Self.snapshot) }
        try SentUpload.with(tar(members).archive) { upload in
            upload.taskType = 2
            for _ in 1...2 {
                let kernel = try #require(try upload.verdict().get().kernel)
                #expect(kernel.file == file && kernel.memoryFile == "vmcore.vmem" && kernel.incompleteness == nil)
                #expect(kernel.release?.description == sampleRelease)
                #expect(FolderContents.status(upload.directory.crash.appending(file)) != nil)
            }
        }
    }

    @Test func onlyASnapshotLosesItsName() throws {
        try SentUpload.with(tar([("vmcore", sampleVmcore()), ("vmcore.vmem", Self.memory)]).archive) { upload in
            upload.taskType = 2
            let kernel = try #require(try upload.verdict().get().kernel)
            #expect(kernel.file == "vmcore" && kernel.memoryFile == nil && kernel.format == .elf)
        }
    }

    @Test func memoryWithoutItsSnapshotIsRefusedInWordsOfItsOwn() throws {
        try SentUpload.with(tar([("vmcore.vmem", Self.memory)]).archive) { upload in
            upload.taskType = 2
            guard case .failure(let error) = upload.verdict() else {
                Issue.record("it was accepted")
                return
            }
            #expect(error.code == .missingMember && error.reason.contains("vmcore.vmem"))
            #expect(error.advice?.contains("vmcore.vmss") == true && error.advice?.contains("vmcore.vmsn") == true)
            #expect(upload.leftovers == ["upload"])
        }
        // Under that name upstream takes any dump.
        try SentUpload.with(tar([("vmcore.vmem", sampleVmcore())]).archive) { upload in
            upload.taskType = 2
            let crash = try upload.verdict().get()
            #expect(crash.kernel?.release?.description == sampleRelease)
        }
    }

    @Test func snapshotOnTheServerIsKnownByItsContentToo() throws {
        try SentUpload.with([]) { upload in
            let file = upload.directory.path.removingLastComponent().appending("suspended")
            try FolderContents.write(Self.snapshot, to: file)
            try FolderContents.write(Self.memory, to: FilePath(file.string + ".vmem"))
            unlink(upload.directory.upload.string)
            upload.taskType = 4
            upload.contentType = "application/octet-stream"
            upload.serverPath = file.string
            let kernel = try #require(try upload.verdict().get().kernel)
            #expect(kernel.file == "vmcore.vmss" && kernel.memoryFile == "vmcore.vmem")
            #expect(kernel.release?.description == sampleRelease)
        }
    }

    @Test func lyingReleaseIsNoReleaseAndNoFailure() throws {
        for text in ["../../etc", "6.1.0/../x", "%s", String(repeating: "9.", count: 4000)] {
            try SentUpload.with(sampleVmcore("OSRELEASE=\(text)\n")) { upload in
                upload.taskType = 2
                upload.contentType = "application/octet-stream"
                let crash = try upload.verdict().get()
                #expect(crash.kernel?.release == nil)
                #expect(crash.executable == "/boot/vmlinuz-unknown")
            }
        }
    }

    @Test func whatIsNoDumpIsRefusedInWords() throws {
        for content in [Array("nothing".utf8), [UInt8](repeating: 0, count: 9000), sampleCore()] {
            try SentUpload.with(tar([("vmcore", content)]).archive) { upload in
                upload.taskType = 2
                guard case .failure(let error) = upload.verdict() else {
                    Issue.record("it was accepted")
                    return
                }
                #expect(error.code == .notAVmcore)
                #expect(error.reason.count > 20)
            }
        }
    }

    /// Once it was copied up to the limit before it was looked at: minutes and the disk of a server, for a no.
    @Test(arguments: [true, false]) func whatIsNoDumpIsNotCopiedFirst(_ isOnServer: Bool) throws {
        let damaged = Array(sampleVmcore().prefix(40))
        for start in [damaged, Array("nothing at all".utf8), sampleCore(), [0x04, 0x22, 0x4d, 0x18, 9, 9, 9, 9]] {
            try SentUpload.with(start) { upload in
                if isOnServer {
                    let file = upload.directory.path.removingLastComponent().appending("theirs")
                    #expect(rename(upload.directory.upload.string, file.string) == 0)
                    upload.serverPath = file.string
                }
                let file = upload.serverPath.map { FilePath($0) } ?? upload.directory.upload
                // A copy would go beyond the limit and be refused as too large.
                #expect(truncate(file.string, 1 << 40) == 0)
                upload.taskType = 2
                for type in ["application/octet-stream", "application/x-tar"] {
                    upload.contentType = type
                    var steps: [IngestProgress] = []
                    guard case .failure(let error) = upload.verdict(steps: { steps.append($0) }) else {
                        Issue.record("it was accepted")
                        return
                    }
                    #expect(error.code == .notAVmcore && error.reason.count > 20, "\(error)")
                    #expect(steps.isEmpty && upload.leftovers == (isOnServer ? [] : ["upload"]))
                }
                upload.contentType = "application/zstd"
                guard case .failure(let error) = upload.verdict() else {
                    Issue.record("it was accepted")
                    return
                }
                #expect(error.code == .contentTypeMismatch)
            }
        }
    }

    @Test func limitOfKernelDumpsIsItsOwn() throws {
        try SentUpload.with(tar([("vmcore", sampleVmcore())]).archive) { upload in
            upload.taskType = 2
            upload.limits.maxKernelDumpBytes = 1000
            guard case .failure(let error) = upload.verdict() else {
                Issue.record("it was accepted")
                return
            }
            #expect(error.code == .unpackedTooLarge)
        }
        try SentUpload.with(compressed(sampleVmcore(), .zstd)) { upload in
            upload.taskType = 2
            upload.contentType = "application/zstd"
            upload.limits.maxKernelDumpBytes = 1000
            guard case .failure(let error) = upload.verdict() else {
                Issue.record("it was accepted")
                return
            }
            #expect(error.code == .unpackedTooLarge)
            #expect(upload.leftovers == ["upload"])
        }
    }

    /// A flattened dump of some kilobytes once became a file of terabytes.
    @Test(arguments: [3 << 20, 1 << 40, 1 << 45] as [Int64])
    func flattenedDumpIsBoundedWithItsHoles(_ offset: Int64) throws {
        try SentUpload.with(sampleFlattened([(0, sampleVmcore()), (offset, [1])])) { upload in
            upload.taskType = 2
            upload.contentType = "application/octet-stream"
            upload.limits.maxKernelDumpBytes = 2 << 20
            guard case .failure(let error) = upload.verdict() else {
                Issue.record("it was accepted")
                return
            }
            #expect(error.code == .unpackedTooLarge && error.reason.contains("2 MiB") && error.advice != nil)
            // Nothing of what was put in order stays.
            #expect(FolderContents.names(in: upload.directory.crash) == ["vmcore"])
            upload.limits.maxKernelDumpBytes = 4 << 20
            if offset < 4 << 20 {
                _ = try upload.verdict().get()
                #expect(FolderContents.status(upload.directory.crash.appending("vmcore"))?.size == offset + 1)
            }
        }
    }
}
