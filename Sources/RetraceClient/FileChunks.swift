import NIOCore
import NIOPosix
import SystemPackage

/// The bytes of a file, a piece at a time and only as fast as they are taken, so that memory stays flat.
struct FileChunks: AsyncSequence, Sendable {
    let descriptor: SystemPackage.FileDescriptor
    let byteCount: Int64
    let threadPool: NIOThreadPool
    /// Called with the bytes that were handed out so far.
    let progress: @Sendable (Int64) -> Void

    static let pieceSize: Int64 = 256 << 10

    func makeAsyncIterator() -> Iterator { Iterator(chunks: self) }

    struct Iterator: AsyncIteratorProtocol {
        let chunks: FileChunks
        var offset: Int64 = 0

        mutating func next() async throws -> ByteBuffer? {
            guard offset < chunks.byteCount else { return nil }
            let (file, from) = (chunks.descriptor, offset)
            let count = Int(Swift.min(FileChunks.pieceSize, chunks.byteCount - offset))
            let buffer = try await chunks.threadPool.runIfActive {
                var buffer = ByteBuffer()
                try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
                    try file.read(
                        fromAbsoluteOffset: from, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
                }
                return buffer
            }
            guard buffer.readableBytes > 0 else { throw Errno.ioError }
            offset += Int64(buffer.readableBytes)
            chunks.progress(offset)
            return buffer
        }
    }
}
