import Archives
import SystemPackage
import TestFixtures

/// Runs `body` with the bytes as a file in a folder of their own.
@discardableResult
func withFile<Value>(_ bytes: [UInt8], _ body: (_ file: FilePath, _ folder: FilePath) throws -> Value) throws -> Value {
    try ScratchDirectory.with { folder in
        try body(try FolderContents.write(bytes, to: folder.appending("file")), folder)
    }
}

/// The content of a file; nil when it cannot be read.
func content(_ file: FilePath) -> [UInt8]? { try? FolderContents.read(file) }

/// Some bytes that no compression makes small.
func noise(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    var words = (0..<(count / 8 + 1)).map { _ in generator.next() }
    return words.withUnsafeMutableBytes { Array($0.prefix(count)) }
}

let realCompressions: [ArchiveCompression] = [.gzip, .bzip2, .lzma, .xz, .zstd]
