import Archives
import CrashModel
import Glibc
import IngestStage
import SystemPackage
import TaskStorage
import TestFixtures
import Testing

/// Uploads that unpack to far more than they are, in every compression, and indexes that lie about how much.
@Suite struct BombTests {
    private static let kinds: [(ArchiveWriter.Compression, String)] = [
        (.gzip, "application/x-gzip"), (.xz(level: 2), "application/x-xz-compressed-tar"), (.zstd, "application/zstd"),
    ]

    /// gzip packs no tighter than 1032:1, so its bombs need a lower bound of the ratio to be told from cores.
    private let limits = IngestLimits(
        maxUnpackedBytes: 8 << 20, minFreeBytes: 0, maxCompressionRatio: 500, ratioFloorBytes: 1 << 20)

    private func refusal(
        _ bytes: [UInt8], _ type: String, _ limits: IngestLimits
    ) throws -> (code: StageError.Code, leftovers: [String])? {
        try SentUpload.with(bytes) { upload in
            (upload.contentType, upload.limits) = (type, limits)
            guard case .failure(let error) = upload.verdict() else { return nil }
            return (error.code, upload.leftovers)
        }
    }

    private func bomb(_ compression: ArchiveWriter.Compression) throws -> [UInt8] {
        try CrashFiles().replacing("coredump", with: [UInt8](repeating: 0xaa, count: 4 << 20)).packed(compression)
    }

    @Test(arguments: kinds) func bombOfDataIsDefused(_ kind: (ArchiveWriter.Compression, String)) throws {
        let refusal = try refusal(bomb(kind.0), kind.1, limits)
        #expect(refusal?.code == .decompressionBomb && refusal?.leftovers == ["upload"])
    }

    @Test(arguments: kinds) func bombOfZerosIsCountedWithItsHoles(_ kind: (ArchiveWriter.Compression, String)) throws {
        let zeros = CrashFiles().replacing("coredump", with: [UInt8](repeating: 0, count: 9 << 20))
        let refusal = try refusal(zeros.packed(kind.0), kind.1, limits)
        #expect(refusal?.code == .unpackedTooLarge && refusal?.leftovers == ["upload"])
    }

    /// Upstream asked `gzip --list`, which reads the last four bytes of the file.
    @Test func sizeAtTheEndOfAGzipIsNotBelieved() throws {
        var bytes = try bomb(.gzip)
        bytes.replaceSubrange((bytes.count - 4)..., with: [100, 0, 0, 0])
        #expect(try refusal(bytes, "application/x-gzip", limits)?.code == .decompressionBomb)
        var small = try CrashFiles().packed(.gzip)
        small.replaceSubrange((small.count - 4)..., with: [0xff, 0xff, 0xff, 0x7f])
        // libarchive checks neither length nor checksum there, and what came out has been counted byte by byte.
        #expect(try refusal(small, "application/x-gzip", limits) == nil)
    }

    /// Upstream asked `xz --list`, which reads the index at the end of the file.
    @Test func indexOfAnXZIsNotBelieved() throws {
        let type = "application/x-xz-compressed-tar"
        let innocent = try XZIndex.lying(bomb(.xz(level: 2)), uncompressedSize: 1024)
        #expect(try refusal(innocent, type, limits)?.code == .decompressionBomb)
        let whole = try CrashFiles().packed(.xz(level: 2))
        #expect(try refusal(whole, type, limits) == nil)
        // The size in the index is no reason to call it too large, but it is no true xz file either.
        for size in [1, UInt64(1) << 50] {
            let lie = try XZIndex.lying(whole, uncompressedSize: size)
            #expect(lie != whole)
            let refusal = try refusal(lie, type, limits)
            #expect(refusal?.code == .damagedArchive && refusal?.leftovers == ["upload"], "\(size)")
        }
    }

    /// 512 MB of headers, packed into a few hundred kilobytes; the reader stops at the 65th.
    @Test func archiveOfAMillionEntriesIsRefusedAtTheFirstFew() throws {
        var tar = TarBuilder()
        for _ in 0..<2000 { tar.add("./", type: "5") }
        let bytes = try compressed(tar.unfinished, .zstd, times: 500)
        #expect(tar.unfinished.count == 2000 * 512 && bytes.count < 1 << 20)
        var reported: [Int64] = []
        try SentUpload.with(bytes) { upload in
            upload.contentType = "application/zstd"
            guard case .failure(let error) = upload.verdict(progress: { reported.append($0) }) else {
                Issue.record("it was accepted")
                return
            }
            #expect(error.code == .tooManyMembers && upload.leftovers == ["upload"] && reported.isEmpty)
        }
    }
}

/// The index and footer of an xz file of one stream and few blocks (The .xz File Format 1.1.0, 2.1.2 and 4).
private enum XZIndex {
    /// The same file with an index that tells another size of what is unpacked, with its checksums right.
    static func lying(_ bytes: [UInt8], uncompressedSize: UInt64) throws -> [UInt8] {
        let footer = Array(bytes.suffix(12))
        try #require(footer.suffix(2) == Array("YZ".utf8)[...])
        let length = (Int(footer[4]) | Int(footer[5]) << 8 | Int(footer[6]) << 16 | Int(footer[7]) << 24) * 4 + 4
        let start = bytes.count - 12 - length
        try #require(start > 12 && bytes[start] == 0 && bytes[start + 1] < 0x80)
        var index: [UInt8] = [0, bytes[start + 1]]
        var place = start + 2
        for _ in 0..<bytes[start + 1] {
            // The unpadded size of the block as it is, and another size of what it unpacks to.
            let middle = try #require(bytes[place...].firstIndex { $0 < 0x80 }) + 1
            let end = try #require(bytes[middle...].firstIndex { $0 < 0x80 }) + 1
            index += Array(bytes[place..<middle]) + number(uncompressedSize)
            place = end
        }
        while index.count % 4 != 0 { index.append(0) }
        index += littleEndian(checksum(index))
        let tail = littleEndian(UInt32(index.count / 4 - 1)) + footer[8..<10]
        return Array(bytes[..<start]) + index + littleEndian(checksum(tail)) + tail + Array("YZ".utf8)
    }

    /// Seven bits a byte, the lowest first.
    private static func number(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + number(value >> 7)
    }

    private static func littleEndian(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    /// CRC32 of IEEE 802.3.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0xffff_ffff
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0xedb8_8320 : 0) }
        }
        return ~sum
    }
}
