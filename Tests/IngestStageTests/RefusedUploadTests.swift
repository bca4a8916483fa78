import Archives
import CrashModel
import IngestStage
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

@Suite struct RefusedUploadTests {
    /// Expects a refusal for good, with a sentence, that leaves nothing unpacked behind.
    private func expect(
        _ code: StageError.Code, _ bytes: [UInt8], as contentType: String = "application/x-tar",
        limits: IngestLimits? = nil, _ place: SourceLocation = #_sourceLocation
    ) throws {
        try SentUpload.with(bytes) { upload in
            upload.contentType = contentType
            if let limits { upload.limits = limits }
            guard case .failure(let error) = upload.verdict() else {
                Issue.record("it was accepted", sourceLocation: place)
                return
            }
            #expect(error.code == code, "\(error)", sourceLocation: place)
            #expect(error.disposition == .failed, sourceLocation: place)
            #expect(error.stage == .ingest, sourceLocation: place)
            #expect(error.reason.count > 20 && error.reason.utf8.allSatisfy { $0 >= 0x20 }, sourceLocation: place)
            #expect(upload.leftovers == ["upload"], sourceLocation: place)
        }
    }

    /// A good crash with one entry before it.
    private func withEntry(_ build: (inout TarBuilder) -> Void) -> [UInt8] {
        var tar = TarBuilder()
        build(&tar)
        for (name, content) in CrashFiles().files { tar.add(name, content: content) }
        return tar.archive
    }

    @Test func whatIsNoArchive() throws {
        try expect(.notAnArchive, [])
        try expect(.notAnArchive, Array("hello\n".utf8))
        try expect(.notAnArchive, Array("hello\n".utf8), as: "application/x-xz-compressed-tar")
        try expect(.notAnArchive, sampleCore())
        try expect(.notAnArchive, [0x50, 0x4b, 3, 4] + [UInt8](repeating: 7, count: 3000))
        try expect(.notAnArchive, try gzipped(sampleCore()), as: "application/x-gzip")
        try expect(.notAnArchive, TarBuilder().archive)
    }

    @Test func truncatedArchive() throws {
        let files = CrashFiles().replacing("coredump", with: sampleCore(memory: randomBytes(300_000)))
        let kinds: [(ArchiveWriter.Compression, String)] = [
            (.xz(level: 2), "application/x-xz-compressed-tar"), (.gzip, "application/x-gzip"),
            (.zstd, "application/zstd"), (.none, "application/x-tar"),
        ]
        for (compression, type) in kinds {
            let whole = try files.packed(compression)
            for percent in [30, 60, 90] {
                try expect(.truncatedArchive, Array(whole.prefix(whole.count * percent / 100)), as: type)
            }
        }
    }

    @Test func damagedArchive() throws {
        let files = CrashFiles().replacing("coredump", with: sampleCore(memory: randomBytes(300_000)))
        var bytes = try files.packed(.xz(level: 2))
        for position in 150_000..<150_200 { bytes[position] ^= 0xff }
        try expect(.damagedArchive, bytes, as: "application/x-xz-compressed-tar")
    }

    @Test func contentTypeThatDoesNotAgree() throws {
        let files = CrashFiles()
        try expect(.contentTypeMismatch, try files.packed(.gzip), as: "application/x-xz-compressed-tar")
        try expect(.contentTypeMismatch, try files.packed(.xz(level: 2)), as: "application/x-gzip")
        try expect(.contentTypeMismatch, files.tar.archive, as: "application/x-gzip")
        try expect(.contentTypeMismatch, files.tar.archive, as: "application/zstd")
        try expect(.contentTypeMismatch, try gzipped(gzipped(files.tar.archive)))
        try expect(.contentTypeMismatch, try gzipped(gzipped(files.tar.archive)), as: "application/x-gzip")
        try expect(.unsupportedContentType, files.tar.archive, as: "application/x-rar-compressed")
        try expect(.unsupportedContentType, files.tar.archive, as: "")
    }

    @Test func pathsThatLeaveTheArchive() throws {
        for name in ["/coredump", "/etc/passwd", "../coredump", "./../coredump", "a/../../coredump", ".."] {
            try expect(.unsafeMember, withEntry { $0.add(name, content: [1]) })
        }
    }

    @Test func whatIsNoRegularFile() throws {
        try expect(.unsafeMember, withEntry { $0.add("coredump", type: "2", linkTarget: "/etc/passwd") })
        try expect(.unsafeMember, withEntry { $0.add("release", type: "1", linkTarget: "/etc/passwd") })
        try expect(.unsafeMember, withEntry { $0.add("release", type: "1", linkTarget: "executable") })
        try expect(.unsafeMember, withEntry { $0.add("release", type: "3") })
        try expect(.unsafeMember, withEntry { $0.add("release", type: "4") })
        try expect(.unsafeMember, withEntry { $0.add("release", type: "6") })
        try expect(.unsafeMember, withEntry { $0.add("coredump/", type: "5") })
        try expect(.unsafeMember, withEntry { $0.add("../", type: "5") })
    }

    @Test func linkFirstThenWriteThroughIt() throws {
        var tar = TarBuilder()
        tar.add("package", type: "2", linkTarget: "../../planted")
        tar.add("package", content: [1])
        try expect(.unsafeMember, tar.archive)
    }

    @Test func namesThatACrashDoesNotHave() throws {
        let names = [
            "architecture", "Coredump", "coredump ", "coredump.vmem", "crash/coredump", "./a/b", "packages.d/x", "-rf",
            "core\ndump", "coredump\u{1b}[2J", "$(id)", "backtrace", ".",
        ]
        for name in names { try expect(.unexpectedMember, withEntry { $0.add(name, content: [1]) }) }
        try expect(.unexpectedMember, withEntry { $0.add([0x63, 0xf6, 0x72, 0x65], content: [1]) })
        try expect(.wrongTaskType, withEntry { $0.add("vmcore", content: [1]) })
        try expect(.wrongTaskType, withEntry { $0.add("vmcore.vmss", content: [1]) })
    }

    @Test func sameNameTwice() throws {
        try expect(.duplicateMember, withEntry { $0.add("./coredump", content: [1]) })
        try expect(.duplicateMember, withEntry { $0.add("package", content: [1]) })
    }

    @Test func requiredFileThatIsMissing() throws {
        for name in ["coredump", "executable", "package"] {
            try expect(.missingMember, CrashFiles().removing(name).tar.archive)
        }
        // A tar that was cut at a member's end looks like this, too.
        try expect(.missingMember, TarBuilder.only("coredump", sampleCore()).unfinished)
    }

    @Test func textsOverTheirLimit() throws {
        let limits = [
            "executable": 512, "package": 128, "release": 128, "rootdir": 256, "os_release": 4096,
            "os_release_in_rootdir": 4096, "packages": 1 << 20,
        ]
        for (name, most) in limits {
            let text = [UInt8](repeating: UInt8(ascii: "a"), count: most + 1)
            try expect(.memberTooLarge, CrashFiles().replacing(name, with: text).tar.archive)
            let allowed = CrashFiles().replacing(name, with: Array(text.dropLast())).tar.archive
            try SentUpload.with(allowed) { upload in _ = try upload.verdict().get() }
        }
    }

    @Test func textsThatCouldActOnAReader() throws {
        let texts: [[UInt8]] = [
            Array("bash-1\nDROP".utf8), Array("bash\u{0}-1".utf8), Array("\u{1b}]0;x\u{7}".utf8), [0xff, 0xfe],
            Array("a\u{202e}b".utf8), Array("a\u{2028}b".utf8), Array("a\u{85}b".utf8), [0xed, 0xa0, 0x80],
        ]
        for text in texts {
            for name in ["executable", "package", "release", "rootdir"] {
                try expectKept(.unreadableMember, CrashFiles().replacing(name, with: text))
            }
        }
        try expectKept(.unreadableMember, CrashFiles().replacing("os_release", with: [0x61, 0, 0x62]))
    }

    @Test func archiveThatGrowsTooLarge() throws {
        let zeros = CrashFiles().replacing("coredump", with: [UInt8](repeating: 0, count: 65 << 20))
        try expect(.unpackedTooLarge, try zeros.packed(.zstd), as: "application/zstd")
        try expect(.unpackedTooLarge, withEntry { $0.addGNUSparse("coredump", realSize: 1 << 40, content: [1]) })
        try expect(
            .unpackedTooLarge,
            withEntry {
                $0.addPax([("size", "\(Int64(1) << 40)")])
                $0.add("coredump", content: [1])
            })
        try expect(.unpackedTooLarge, withEntry { $0.add("coredump", statedSize: 1 << 50) })
        try expect(
            .unpackedTooLarge,
            withEntry {
                $0.addPax([
                    ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "coredump"),
                    ("GNU.sparse.realsize", "\(Int64(1) << 40)"),
                ])
                $0.add("GNUSparseFile.0/coredump", content: Array("1\n0\n0\n".utf8) + [UInt8](repeating: 0, count: 506))
            })
    }

    @Test func sizesThatMakeNoSense() throws {
        for size in [Int64.min, -1] {
            try SentUpload.with(withEntry { $0.add("coredump", statedSize: size) }) { upload in
                guard case .failure(let error) = upload.verdict() else {
                    Issue.record("a size of \(size) was accepted")
                    return
                }
                #expect([.damagedArchive, .truncatedArchive, .notAnArchive, .unpackedTooLarge].contains(error.code))
            }
        }
        var tar = TarBuilder()
        tar.addPax([("size", "5000000")])
        tar.add("coredump", content: [1])
        try expect(.truncatedArchive, tar.archive)
    }

    @Test func bombOfDataIsDefused() throws {
        let pattern = [UInt8](repeating: 0xaa, count: 32 << 20)
        let bomb = try CrashFiles().replacing("coredump", with: pattern).packed(.zstd)
        let limits = IngestLimits(maxUnpackedBytes: 64 << 20, minFreeBytes: 0, ratioFloorBytes: 8 << 20)
        try expect(.decompressionBomb, bomb, as: "application/zstd", limits: limits)
    }

    @Test func headersWithoutEnd() throws {
        try expect(.tooManyMembers, withEntry { tar in (0..<100).forEach { _ in tar.add("./", type: "5") } })
        try expect(
            .damagedArchive, withEntry { tar in (0..<100).forEach { _ in tar.addPax([("comment", "x")], type: "g") } })
    }

    @Test func fullDiskIsToBeTriedAgain() throws {
        try SentUpload.with(CrashFiles().tar.archive) { upload in
            upload.limits.minFreeBytes = .max / 2
            guard case .failure(let error) = upload.verdict() else {
                Issue.record("it was accepted")
                return
            }
            #expect(error.code == .diskFull)
            #expect(error.disposition != .failed)
            #expect(upload.leftovers == ["upload"])
        }
    }

    @Test func taskWithoutUpload() throws {
        try SentUpload.with([]) { upload in
            try FolderContents.remove(upload.directory.upload)
            guard case .failure(let error) = upload.verdict() else {
                Issue.record("it was accepted")
                return
            }
            #expect(error.code == .uploadMissing)
        }
    }

    /// As `expect`, for what is found only after unpacking: the files stay, and the next delivery says the same.
    private func expectKept(
        _ code: StageError.Code, _ files: CrashFiles, _ place: SourceLocation = #_sourceLocation
    ) throws {
        try SentUpload.with(files.tar.archive) { upload in
            for _ in 0..<2 {
                guard case .failure(let error) = upload.verdict() else {
                    Issue.record("it was accepted", sourceLocation: place)
                    return
                }
                #expect(error.code == code, "\(error)", sourceLocation: place)
            }
        }
    }
}

extension TarBuilder {
    static func only(_ name: String, _ content: [UInt8]) -> TarBuilder {
        var tar = TarBuilder()
        tar.add(name, content: content)
        return tar
    }
}

/// Some bytes that no compression makes small.
func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    var words = (0..<(count / 8 + 1)).map { _ in generator.next() }
    return words.withUnsafeMutableBytes { Array($0.prefix(count)) }
}
