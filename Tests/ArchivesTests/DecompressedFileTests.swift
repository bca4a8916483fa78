import Archives
import SystemPackage
import TestFixtures
import Testing

@Suite struct DecompressedFileTests {
    private static let compressions: [ArchiveCompression] = [.gzip, .bzip2, .xz, .zstd]

    @Test(arguments: compressions) func contentComesWhole(of compression: ArchiveCompression) throws {
        let bytes = noise(300_000)
        try withFile(try compressed(bytes, compression)) { file, folder in
            let output = folder.appending("content")
            let count = try decompressFile(file, to: output, limit: 1 << 20)
            #expect(count == 300_000)
            #expect(content(output) == bytes)
        }
    }

    /// Debian's archives have compressed lists with nothing in them.
    @Test(arguments: compressions) func contentWithoutAByteIsNoFault(of compression: ArchiveCompression) throws {
        try withFile(try compressed([], compression)) { file, folder in
            let output = folder.appending("content")
            let count = try decompressFile(file, to: output, limit: 1 << 20)
            #expect(count == 0)
            #expect(content(output) == [])
        }
        try withFile([]) { file, folder in
            let count = try decompressFile(file, to: folder.appending("content"), limit: 1 << 20)
            #expect(count == 0)
        }
    }

    @Test(arguments: compressions) func streamThatBreaksBeforeItsFirstByteIsNotEmpty(
        of compression: ArchiveCompression
    ) throws {
        let whole = try compressed(noise(2000), compression)
        for count in [40, whole.count / 2, whole.count - 1] {
            try withFile(Array(whole.prefix(count))) { file, folder in
                let output = folder.appending("content")
                let error = #expect(throws: ArchiveError.self, "\(count) bytes of \(compression)") {
                    _ = try decompressFile(file, to: output, limit: 1 << 20)
                }
                #expect(error?.code == .damaged)
            }
        }
    }
}
