import PageCompression
import Testing

/// Streams made by hand after the formats' descriptions; RealVmcoreTests has what makedumpfile wrote.
@Suite struct DecompressTests {
    private static let page = Array("abcabcabcabcabcabcabcabc".utf8)

    /// A stored block of deflate with the header and the checksum of zlib.
    private static func zlib(_ content: [UInt8]) -> [UInt8] {
        let size = UInt16(content.count)
        let (low, high) = (UInt8(truncatingIfNeeded: size), UInt8(size >> 8))
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in content {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        let check = [b >> 8, b, a >> 8, a].map { UInt8(truncatingIfNeeded: $0) }
        return [0x78, 0x01, 1, low, high, ~low, ~high] + content + check
    }

    /// A frame with one raw block.
    private static func zstd(_ content: [UInt8]) -> [UInt8] {
        let size = UInt32(content.count) << 3 | 1
        return [
            0x28, 0xb5, 0x2f, 0xfd, 0x20, UInt8(content.count), UInt8(truncatingIfNeeded: size), UInt8(size >> 8), 0,
        ]
            + content
    }

    /// Three literals and a match of 21 bytes that overlaps itself, in each format that has them.
    private static let streams: [(PageCompression, [UInt8])] = [
        (.zlib, zlib(page)), (.zstd, zstd(page)),
        (.snappy, [24, 2 << 2] + Array("abc".utf8) + [20 << 2 | 2, 3, 0]),
        (.lzo, [17 + 3] + Array("abc".utf8) + [32 | 19, 2 << 2, 0] + [17, 0, 0]),
    ]

    @Test(arguments: streams) func pageComesOutAsItWas(_ format: PageCompression, _ bytes: [UInt8]) throws {
        #expect(try decompressPage(bytes, format, pageBytes: Self.page.count) == Self.page)
    }

    @Test(arguments: streams) func pageOfAnotherSizeIsAnError(_ format: PageCompression, _ bytes: [UInt8]) {
        #expect(throws: PageCompressionError.self) { try decompressPage(bytes, format, pageBytes: Self.page.count - 1) }
        #expect(throws: PageCompressionError.self) { try decompressPage(bytes, format, pageBytes: Self.page.count + 1) }
    }

    @Test(arguments: streams) func cutPageIsAnError(_ format: PageCompression, _ bytes: [UInt8]) {
        for length in 0..<bytes.count {
            #expect(throws: PageCompressionError.self, "\(length) bytes") {
                try decompressPage(Array(bytes.prefix(length)), format, pageBytes: Self.page.count)
            }
        }
    }

    @Test func everyInstructionOfLZOIsRead() throws {
        let literals = (0..<40).map { UInt8($0) }
        // A run of 15 + 3 + 22 literals, and each kind of match with its literals behind it.
        var stream: [UInt8] = [0, 22] + literals
        var expected = literals
        func match(_ instruction: [UInt8], distance: Int, count: Int, literals: [UInt8]) {
            stream += instruction + literals
            for _ in 0..<count { expected.append(expected[expected.count - distance]) }
            expected += literals
        }
        match([128 | 5 << 2 | 1, 2], distance: (2 << 3) + 5 + 1, count: 5, literals: [0xaa])
        match([1 << 2 | 2, 3], distance: (3 << 2) + 1 + 1, count: 2, literals: [0xbb, 0xcc])
        match([32, 10, 9 << 2 | 3, 0], distance: 10, count: 31 + 10 + 2, literals: [1, 2, 3])
        match([3 << 2, 1], distance: (1 << 2) + 3 + 1, count: 2, literals: [])
        // After no literals comes a run, which makes the next short match a far one.
        let far = (0..<2100).map { UInt8($0 % 251) }
        let zeros = (far.count - 18) / 255
        stream += [0] + [UInt8](repeating: 0, count: zeros) + [UInt8(far.count - 18 - 255 * zeros)] + far
        expected += far
        match([2 << 2, 3], distance: 0x801 + 2 + (3 << 2), count: 3, literals: [])
        // A run of 17,000 literals, and a match beyond 16 KiB.
        let further = (0..<17_000).map { UInt8($0 % 241) }
        stream +=
            [0] + [UInt8](repeating: 0, count: (further.count - 18) / 255) + [UInt8((further.count - 18) % 255)]
            + further
        expected += further
        match([16 | 4, (100 << 2) & 0xff, 100 >> 6], distance: 0x4000 + 100, count: 4 + 2, literals: [])
        stream += [17, 0, 0]
        #expect(try decompressPage(stream, .lzo, pageBytes: expected.count) == expected)
    }

    @Test func longLiteralsAndFarCopiesOfSnappyAreRead() throws {
        let literals = (0..<3000).map { UInt8($0 % 253) }
        let copied = Array(literals[100..<164])
        let page = literals + copied + Array(literals[..<7])
        var size: [UInt8] = []
        var rest = page.count
        while rest >= 0x80 {
            size.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        size.append(UInt8(rest))
        let far = page.count - 7
        let bytes =
            size + [61 << 2, UInt8(2999 & 0xff), UInt8(2999 >> 8)] + literals
            + [63 << 2 | 2, UInt8(2900 & 0xff), UInt8(2900 >> 8)]
            + [6 << 2 | 3, UInt8(far & 0xff), UInt8(far >> 8), 0, 0]
        #expect(try decompressPage(bytes, .snappy, pageBytes: page.count) == page)
    }

    @Test(
        arguments: [
            (.lzo, [18, 1, 64, 200, 17, 0, 0]), (.lzo, [0] + [UInt8](repeating: 0, count: 5000)), (.lzo, [255]),
            (.lzo, [18, 1, 32] + [UInt8](repeating: 0, count: 5000)), (.snappy, [4, 0, 1, 9, 9]),
            (.snappy, [0xff, 0xff, 0xff, 0xff, 0xff]), (.snappy, [4, 63 << 2, 255, 255, 255, 255, 1]),
            (.snappy, [4, 3 << 2, 1]),
            (.snappy, [4, 0, 1, 2 << 2 | 2, 0, 0]), (.zstd, [0x28, 0xb5, 0x2f, 0xfd, 0xff]),
            (.zlib, [0x78, 0x9c, 0xff, 0xff]),
        ] as [(PageCompression, [UInt8])]) func damageIsAnError(_ format: PageCompression, _ bytes: [UInt8])
    {
        #expect(throws: PageCompressionError.self) { try decompressPage(bytes, format, pageBytes: 4096) }
    }

    /// The same noise in every run, so that a failure can be looked at.
    @Test(arguments: PageCompression.allCases) func noiseNeverComesBeyondAPage(_ format: PageCompression) {
        var state: UInt64 = 7
        for length in 1..<600 {
            let bytes = (0..<length).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 40)
            }
            if let page = try? decompressPage(bytes, format, pageBytes: 4096) { #expect(page.count == 4096) }
        }
    }
}
