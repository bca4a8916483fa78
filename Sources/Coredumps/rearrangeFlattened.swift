package import ELF
import Glibc
package import SystemPackage

/// How the rearranging of a flattened dump ended.
package struct FlattenedOutcome: Hashable, Sendable {
    /// The size of the rearranged dump, in bytes; what is zero in it takes no room on the disk.
    package let byteCount: UInt64
    /// How many blocks the flattened dump had.
    package let blockCount: UInt64
    /// Whether the flattened dump came to its end mark.
    package let isComplete: Bool
    /// What is missing or wrong, a sentence; nil when nothing is.
    package let remark: String?
}

/// Puts the blocks of a flattened dump (`makedumpfile -F`) where they belong, as `makedumpfile -R` does.
///
/// It reads the input once, from front to end, in pieces of 1 MiB. Zeros become holes. What a damaged or cut input has
/// before its damage is written. Reading and writing block: call it on a thread that may wait.
///
/// - Parameters:
///   - output: An empty regular file, open for writing.
///   - limit: How large the dump may become, in bytes, its holes included: blocks of a few bytes can lie terabytes apart.
///   - progress: Told how many bytes of the input are done; answers whether to go on.
/// - Throws: ``CoredumpError/malformed(_:)`` when not even one block is there, ``CoredumpError/notACoredump(_:)`` when the
///   input is not flattened, ``CoredumpError/tooLarge(_:)`` at the first block that ends beyond the limit,
///   ``CoredumpError/unreadable(_:)``, and ``CoredumpError/unwritable(_:)`` when the disk is full.
package func rearrangeFlattened(
    _ input: any ByteSource, into output: FileDescriptor, limit: UInt64,
    progress: (_ bytesRead: UInt64) -> Bool = { _ in true }
) throws(CoredumpError) -> FlattenedOutcome {
    do {
        guard try input.read(at: 0, count: 12).elementsEqual("makedumpfile".utf8) else {
            throw CoredumpError.notACoredump("The file is not a flattened dump: it does not begin with 'makedumpfile'.")
        }
        var rearrangement = Rearrangement(input: input, output: output, limit: limit)
        return try rearrangement.run(progress)
    } catch let error as ELFError {
        throw .unreadable("\(error)")
    } catch let error as CoredumpError {
        throw error
    } catch {
        throw .unwritable("\(error)")
    }
}

private struct Rearrangement {
    let input: any ByteSource
    let output: FileDescriptor
    let limit: UInt64
    /// One past the furthest byte that a block has claimed; beyond it the file is a hole.
    var end: UInt64 = 0
    var blockCount: UInt64 = 0

    private static let pieceBytes = 1 << 20
    private static let pageBytes = 4096

    init(input: any ByteSource, output: FileDescriptor, limit: UInt64) {
        self.input = input
        self.output = output
        self.limit = limit
    }

    mutating func run(_ progress: (UInt64) -> Bool) throws -> FlattenedOutcome {
        var position = FlattenedRecord.firstPosition
        // makedumpfile gathers some hundred bytes to 64 KiB before it writes a block.
        let maximumBlockCount = 1_000_000 + input.byteCount / 512
        while blockCount < maximumBlockCount {
            switch try FlattenedRecord.read(at: position, of: input) {
            case .ended: return try finish(isComplete: true, remark: nil)
            case .cut:
                return try finish(
                    isComplete: false,
                    remark: "The flattened dump is cut off after \(input.byteCount) bytes, before its end mark: "
                        + "parts of the memory are missing.")
            case .damaged(let sentence): return try finish(isComplete: false, remark: sentence)
            case .record(let record):
                guard record.end <= limit else { throw CoredumpError.tooLarge(record.end) }
                blockCount += 1
                guard try copy(record, progress) else {
                    return try finish(isComplete: false, remark: "The rearranging was stopped before its end.")
                }
                position = record.position + record.size
            }
        }
        return try finish(
            isComplete: false,
            remark: "The flattened dump has more than \(blockCount) blocks, more than makedumpfile makes.")
    }

    private func finish(isComplete: Bool, remark: String?) throws -> FlattenedOutcome {
        guard end > 0 else {
            throw CoredumpError.malformed("\(remark ?? "The flattened dump is empty: it has only its end mark.")")
        }
        // The last bytes may be a hole.
        try output.resize(to: Int64(end))
        return FlattenedOutcome(byteCount: end, blockCount: blockCount, isComplete: isComplete, remark: remark)
    }

    private mutating func copy(_ record: FlattenedRecord, _ progress: (UInt64) -> Bool) throws -> Bool {
        var done: UInt64 = 0
        while done < record.size {
            let wanted = Int(min(record.size - done, UInt64(Self.pieceBytes)))
            let piece = try input.read(at: record.position + done, count: wanted)
            try write(piece, at: record.offset + done)
            done += UInt64(piece.count)
            end = max(end, record.offset + done)
            guard progress(min(record.position + done, input.byteCount)) else { return false }
            // The next header is not there either, and says so.
            if piece.count < wanted { break }
        }
        return true
    }

    /// Writes what is not a hole yet and not zero.
    private func write(_ piece: [UInt8], at offset: UInt64) throws {
        var run = 0
        var cursor = 0
        while cursor < piece.count {
            let place = offset + UInt64(cursor)
            // Pieces of the file's own pages, so that a hole is one for the file system.
            let room = Self.pageBytes - Int(place % UInt64(Self.pageBytes))
            let next = min(piece.count, cursor + room)
            if place >= end, Self.isZero(piece, cursor..<next) {
                try flush(piece[run..<cursor], at: offset + UInt64(run))
                run = next
            }
            cursor = next
        }
        try flush(piece[run...], at: offset + UInt64(run))
    }

    private func flush(_ bytes: ArraySlice<UInt8>, at offset: UInt64) throws {
        guard !bytes.isEmpty else { return }
        _ = try output.writeAll(toAbsoluteOffset: Int64(offset), bytes)
    }

    private static func isZero(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        bytes.withUnsafeBytes { all in
            guard let start = all.baseAddress else { return true }
            let first = start + range.lowerBound
            // Bytes that equal their neighbours are all as the first.
            return all[range.lowerBound] == 0 && memcmp(first, first + 1, range.count - 1) == 0
        }
    }
}
