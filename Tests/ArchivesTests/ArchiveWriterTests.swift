import Archives
import SystemPackage
import TestFixtures
import Testing

@Suite struct ArchiveWriterTests {
    static let compressions: [ArchiveWriter.Compression] = [.none, .gzip, .xz(level: 2), .zstd]

    @Test(arguments: compressions)
    func whatIsWrittenReadsBack(_ compression: ArchiveWriter.Compression) throws {
        let core = noise(3_000_000)
        try ScratchDirectory.with { folder in
            let source = try FolderContents.write(core, to: folder.appending("core"))
            let target = folder.appending("archive")
            try pack(source, to: target, compression)
            let reader = try FileDescriptor.open(target, .readOnly)
            try reader.closeAfter {
                let archive = try ArchiveReader(reader, formats: [.tar], compressions: [.gzip, .xz, .zstd])
                var contents: [String: [UInt8]] = [:]
                while let entry = try archive.nextEntry() {
                    var content: [UInt8] = []
                    while let block = try archive.nextBlock() { content += block.bytes }
                    contents[String(decoding: entry.path, as: UTF8.self)] = content
                }
                #expect(contents == ["coredump": core, "package": Array("bash-1".utf8)])
            }
        }
    }

    @Test func holesAreNotPacked() throws {
        try ScratchDirectory.with { folder in
            let source = folder.appending("core")
            let file = try FileDescriptor.open(
                source, .writeOnly, options: [.create], permissions: [.ownerReadWrite])
            try file.closeAfter {
                try file.resize(to: 300 << 20)
                _ = try file.writeAll(toAbsoluteOffset: 100 << 20, noise(5000))
            }
            let target = folder.appending("archive")
            try pack(source, to: target, .none)
            let size = try #require(FolderContents.status(target)?.size)
            #expect(size < 100_000)
            let reader = try FileDescriptor.open(target, .readOnly)
            try reader.closeAfter {
                let archive = try ArchiveReader(reader, formats: [.tar], compressions: [])
                let entry = try #require(try archive.nextEntry())
                #expect(entry.path == Array("coredump".utf8))
                #expect(entry.byteCount == 300 << 20)
                let data = try #require(try archive.nextBlock())
                #expect((99 << 20)...(100 << 20) ~= data.offset)
            }
        }
    }

    @Test func fileOfNothingButAHolePacks() throws {
        try ScratchDirectory.with { folder in
            let source = folder.appending("core")
            let file = try FileDescriptor.open(
                source, .writeOnly, options: [.create], permissions: [.ownerReadWrite])
            try file.closeAfter { try file.resize(to: 8 << 20) }
            let target = folder.appending("archive")
            try pack(source, to: target, .none)
            let reader = try FileDescriptor.open(target, .readOnly)
            try reader.closeAfter {
                let archive = try ArchiveReader(reader, formats: [.tar], compressions: [])
                #expect(try archive.nextEntry()?.byteCount == 8 << 20)
            }
        }
    }

    private func pack(
        _ core: FilePath, to target: FilePath, _ compression: ArchiveWriter.Compression
    ) throws {
        let input = try FileDescriptor.open(core, .readOnly)
        try input.closeAfter {
            let output = try FileDescriptor.open(
                target, .writeOnly, options: [.create], permissions: [.ownerReadWrite])
            try output.closeAfter {
                let writer = try ArchiveWriter(output, compression: compression)
                var reported: Int64 = 0
                try writer.addFile("coredump", from: input) { reported = $0 }
                try writer.addFile("package", content: Array("bash-1".utf8))
                try writer.finish()
                #expect(reported == FolderContents.status(core)?.size)
            }
        }
    }
}
