import Crypto
import NIOCore
import SystemPackage
import TaskStorage

/// The bytes of a result, and a name for exactly these bytes.
struct ResultContent: Sendable {
    let byteCount: Int
    /// Changes whenever the bytes do; without quotes.
    let version: String
    private let source: Source

    private enum Source: Sendable {
        case memory(ByteBuffer)
        case file(ResultFile)
    }

    /// A file as it is, read while it is sent.
    init(_ file: ResultFile) {
        byteCount = file.byteCount
        version = file.version
        source = .file(file)
    }

    /// Bytes that were put together for this answer.
    ///
    /// - Parameter version: What changes when they do; their own digest where nothing else is known.
    init(_ bytes: some Sequence<UInt8>, version: String? = nil) {
        let buffer = ByteBuffer(bytes: bytes)
        byteCount = buffer.readableBytes
        self.version = version ?? digest(of: buffer.readableBytesView)
        source = .memory(buffer)
    }

    /// At most `count` bytes from `offset` on. Blocking.
    ///
    /// - Throws: `Errno`; `ioError` when the file has become shorter.
    func read(at offset: Int, count: Int) throws -> ByteBuffer {
        let count = min(count, byteCount - offset)
        switch source {
        case .memory(let buffer):
            return buffer.getSlice(at: buffer.readerIndex + offset, length: count) ?? ByteBuffer()
        case .file(let file):
            let bytes = try file.read(at: offset, count: count)
            guard bytes.count == count else { throw Errno.ioError }
            return ByteBuffer(bytes: bytes)
        }
    }
}

/// The first half of the SHA-256, in hexadecimal.
func digest(of bytes: some Sequence<UInt8>) -> String {
    var hash = SHA256()
    hash.update(data: Array(bytes))
    return hash.finalize().prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
