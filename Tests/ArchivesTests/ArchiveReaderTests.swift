import Archives
import SystemPackage
import TestFixtures
import Testing

@Suite struct ArchiveReaderTests {
    /// Every entry with its content, read to the end.
    private func everything(
        in bytes: [UInt8], formats: Set<ArchiveFormat> = [.tar]
    ) throws -> [(entry: ArchiveEntry, content: [UInt8])] {
        try withFile(bytes) { file, _ in
            let descriptor = try FileDescriptor.open(file, .readOnly)
            return try descriptor.closeAfter {
                let reader = try ArchiveReader(descriptor, formats: formats, compressions: Set(realCompressions))
                var found: [(ArchiveEntry, [UInt8])] = []
                while let entry = try reader.nextEntry() {
                    var content: [UInt8] = []
                    while let block = try reader.nextBlock() { content += block.bytes }
                    found.append((entry, content))
                }
                try reader.close()
                return found
            }
        }
    }

    private var sample: (archive: [UInt8], content: [UInt8]) {
        let content = noise(300_000)
        var tar = TarBuilder()
        tar.add("./first", content: content)
        tar.add("second", content: Array("text".utf8), mode: 0o755)
        return (tar.archive, content)
    }

    private func expectError(_ code: ArchiveError.Code, in bytes: [UInt8], _ place: SourceLocation = #_sourceLocation) {
        #expect(sourceLocation: place) {
            _ = try everything(in: bytes)
        } throws: { error in
            (error as? ArchiveError)?.code == code
        }
    }

    @Test(arguments: realCompressions)
    func everyCompressionIsFoundByItself(_ compression: ArchiveCompression) throws {
        let (archive, content) = sample
        let found = try everything(in: compressed(archive, compression))
        #expect(found.map(\.entry.path) == ["./first", "second"].map { Array($0.utf8) })
        #expect(found.map(\.content) == [content, Array("text".utf8)])
        #expect(found.map(\.entry.permissions) == [0o644, 0o755])
    }

    @Test func concatenatedStreamsAreOneArchive() throws {
        let (archive, content) = sample
        for compression in [ArchiveCompression.gzip, .xz, .zstd] {
            let halves = [Array(archive.prefix(100_000)), Array(archive.dropFirst(100_000))]
            let found = try everything(in: halves.flatMap { try compressed($0, compression) })
            #expect(found.map(\.content.count) == [content.count, 4], "\(compression)")
        }
    }

    @Test func trailingGarbageIsNotRead() throws {
        #expect(try everything(in: sample.archive + noise(5000)).count == 2)
    }

    @Test(arguments: realCompressions)
    func truncatedArchiveIsReportedNotLooped(_ compression: ArchiveCompression) throws {
        let whole = try compressed(sample.archive, compression)
        for kept in [whole.count / 3, whole.count * 2 / 3, whole.count * 9 / 10] {
            expectError(.truncated, in: Array(whole.prefix(kept)))
        }
    }

    @Test func truncatedPlainTarIsReported() {
        expectError(.truncated, in: Array(sample.archive.prefix(200_000)))
        expectError(.truncated, in: Array(sample.archive.prefix(700)))
    }

    @Test func damagedStreamIsReported() throws {
        var bytes = try compressed(sample.archive, .xz)
        for position in 150_000..<150_040 { bytes[position] ^= 0x5a }
        expectError(.damaged, in: bytes)
    }

    @Test func whatIsNoArchiveIsToldApart() throws {
        expectError(.notAnArchive, in: [])
        expectError(.notAnArchive, in: Array("just a text\n".utf8))
        expectError(.notAnArchive, in: Array(repeating: UInt8(ascii: "a"), count: 100_000))
        expectError(.notAnArchive, in: try compressed(Array("just a text\n".utf8), .gzip))
        expectError(.notAnArchive, in: [0x50, 0x4b, 3, 4] + noise(5000))
    }

    @Test func namesAreKeptByteForByte() throws {
        let latin1: [UInt8] = [0x63, 0xf6, 0x72, 0x65]
        var tar = TarBuilder()
        tar.add(latin1, content: [1])
        tar.add("line\nbreak", content: [2])
        tar.addPax([("path", "přes")])
        tar.add("ignored", content: [3])
        let found = try everything(in: tar.archive)
        #expect(found.map(\.entry.path) == [latin1, Array("line\nbreak".utf8), Array("přes".utf8)])
    }

    @Test func kindsAndLinksAreTold() throws {
        var tar = TarBuilder()
        tar.add("file", content: [1])
        tar.add("hard", type: "1", linkTarget: "file")
        tar.add("soft", type: "2", linkTarget: "../x")
        tar.add("character", type: "3")
        tar.add("block", type: "4")
        tar.add("directory/", type: "5")
        tar.add("fifo", type: "6")
        let found = try everything(in: tar.archive).map(\.entry)
        #expect(
            found.map(\.kind) == [
                .regular, .hardLink, .symbolicLink, .characterDevice, .blockDevice, .directory, .fifo,
            ])
        #expect(found.compactMap(\.linkTarget) == [Array("file".utf8), Array("../x".utf8)])
    }

    @Test func absurdSizesNeverLookLikeFiles() throws {
        for size in [Int64.max, 1 << 60, -1, .min] {
            var tar = TarBuilder()
            tar.add("file", content: [], statedSize: size)
            let result = Result { try everything(in: tar.archive) }
            switch result {
            case .success(let found): #expect(found.allSatisfy { $0.entry.byteCount < 0 || $0.content.isEmpty })
            case .failure(let error):
                #expect([.truncated, .damaged].contains((error as? ArchiveError)?.code), "\(error)")
            }
        }
    }

    @Test(arguments: [40, 2000])
    func endlessSpecialHeadersAreRefused(_ count: Int) {
        var tar = TarBuilder()
        for _ in 0..<count { tar.addPax([("comment", "x")], type: "g") }
        tar.add("file", content: [1])
        expectError(.damaged, in: tar.archive)
    }

    @Test func onlyARangeOfTheFileIsRead() throws {
        var tar = TarBuilder()
        tar.add("inner", content: [7])
        let bytes = noise(1001) + tar.archive + noise(1001)
        try withFile(bytes) { file, _ in
            let descriptor = try FileDescriptor.open(file, .readOnly)
            try descriptor.closeAfter {
                let reader = try ArchiveReader(
                    descriptor, range: 1001..<(1001 + Int64(tar.archive.count)), formats: [.tar], compressions: [])
                #expect(try reader.nextEntry()?.path == Array("inner".utf8))
                #expect(try reader.nextEntry() == nil)
            }
        }
    }
}
