import ELF
import Synchronization

/// A source that counts what is read of it and runs dry at a limit, so that no core can make the reader read for ever.
final class CountedSource: ByteSource {
    private let source: any ByteSource
    private let limit: UInt64
    private let count = Atomic<UInt64>(0)

    init(_ source: any ByteSource, limit: UInt64) {
        self.source = source
        self.limit = limit
    }

    var byteCount: UInt64 { source.byteCount }

    /// How much was read, in bytes.
    var bytesRead: UInt64 { count.load(ordering: .relaxed) }

    var isExhausted: Bool { bytesRead >= limit }

    func read(at offset: UInt64, count wanted: Int) throws(ELFError) -> [UInt8] {
        guard !isExhausted else { return [] }
        let bytes = try source.read(at: offset, count: wanted)
        count.add(UInt64(bytes.count), ordering: .relaxed)
        return bytes
    }
}
