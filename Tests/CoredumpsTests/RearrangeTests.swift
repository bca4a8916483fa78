import Coredumps
import CrashModel
import ELF
import Glibc
import SystemPackage
import TestFixtures
import Testing

@Suite struct RearrangeTests {
    private func rearranged(
        _ flattened: any ByteSource, limit: UInt64 = 1 << 45, progress: (UInt64) -> Bool = { _ in true }
    ) throws -> (bytes: [UInt8], outcome: FlattenedOutcome) {
        try ScratchDirectory.with { scratch in
            let path = scratch.appending("vmcore")
            let output = try FileDescriptor.open(
                path, .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
            let outcome = try output.closeAfter {
                try rearrangeFlattened(flattened, into: output, limit: limit, progress: progress)
            }
            let source = try FileByteSource(path)
            return (try source.read(at: 0, count: Int(min(source.byteCount, 64 << 20))), outcome)
        }
    }

    @Test(arguments: [1000, 4096, 5000, 2 << 20]) func blocksComeWhereTheyBelong(_ blockBytes: Int) throws {
        var sample = KdumpSample()
        sample.pages = (0..<300).map { ($0 * 3, [UInt8](repeating: UInt8($0 % 3), count: 4096), 0) }
        let dump = sample.bytes()
        let (bytes, outcome) = try rearranged(MemoryByteSource(FlattenedSample(dump, blockBytes: blockBytes).bytes()))
        #expect(bytes == dump)
        #expect(outcome.byteCount == UInt64(dump.count))
        #expect(outcome.blockCount == UInt64((dump.count + blockBytes - 1) / blockBytes))
        #expect(outcome.isComplete)
        #expect(outcome.remark == nil)
        #expect(try readVmcore(MemoryByteSource(bytes)).dump.incompleteness == nil)
    }

    @Test func laterBlockReplacesAnEarlierOneAlsoByZeros() throws {
        let one = [UInt8](repeating: 1, count: 20_000)
        let zeros = [UInt8](repeating: 0, count: 9000)
        let (bytes, _) = try rearranged(
            MemoryByteSource(FlattenedSample([(0, one), (5000, zeros), (30_000, zeros)]).bytes()))
        var expected = one + [UInt8](repeating: 0, count: 19_000)
        expected.replaceSubrange(5000..<14_000, with: zeros)
        #expect(bytes == expected)
    }

    @Test func zerosAreHoles() throws {
        try ScratchDirectory.with { scratch in
            let path = scratch.appending("vmcore")
            let output = try FileDescriptor.open(
                path, .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
            let blocks: [(Int64, [UInt8])] = [
                (0, Array("KDUMP   ".utf8)), (1 << 20, [UInt8](repeating: 0, count: 8 << 20)), (5 << 30, [1]),
            ]
            let outcome = try output.closeAfter {
                try rearrangeFlattened(MemoryByteSource(FlattenedSample(blocks).bytes()), into: output, limit: 1 << 33)
            }
            #expect(outcome.byteCount == (5 << 30) + 1)
            var status = stat()
            #expect(stat(path.string, &status) == 0)
            #expect(status.st_blocks * 512 < 1 << 20)
        }
    }

    @Test func cutDumpGivesWhatIsThere() throws {
        let dump = KdumpSample().bytes()
        let flattened = FlattenedSample(dump, blockBytes: 1000).bytes()
        for length in [4096 + 17, 9000, flattened.count - 20, flattened.count - 1] {
            let (bytes, outcome) = try rearranged(MemoryByteSource(Array(flattened.prefix(length))))
            #expect(!outcome.isComplete)
            #expect(outcome.remark?.contains("cut off") == true)
            #expect(UInt64(bytes.count) == outcome.byteCount)
            #expect(bytes[0] == dump[0])
        }
        for length in [12, 4096, 4100] {
            #expect(throws: CoredumpError.self) { try rearranged(MemoryByteSource(Array(flattened.prefix(length)))) }
        }
    }

    @Test(arguments: [(-5, 10), (0, -1), (0, 0), (.max, 10), (10, .max), (1 << 60, 1 << 60)] as [(Int64, Int64)])
    func damagedBlockEndsItWithARemark(_ offset: Int64, _ size: Int64) throws {
        var sample = FlattenedSample([(0, [1, 2, 3]), (offset, [4, 5, 6])])
        sample.statedSizes[1] = size
        let (bytes, outcome) = try rearranged(MemoryByteSource(sample.bytes()))
        #expect(bytes == [1, 2, 3])
        #expect(!outcome.isComplete)
        #expect(outcome.remark?.contains("damaged") == true)
        #expect(outcome.blockCount == 1)
    }

    /// The file system may hold a hole of any size, and the disk of none.
    @Test func blockBeyondTheLimitIsRefused() throws {
        for (offset, content) in [(1 << 44, [1]), (100, [1, 2]), (0, [UInt8](repeating: 1, count: 102))]
            as [(Int64, [UInt8])]
        {
            let sample = FlattenedSample([(0, [1, 2, 3]), (offset, content)])
            let end = UInt64(offset) + UInt64(content.count)
            #expect(throws: CoredumpError.tooLarge(end)) {
                try rearranged(MemoryByteSource(sample.bytes()), limit: 101)
            }
        }
        let fits = FlattenedSample([(0, [1, 2, 3]), (100, [1])])
        #expect(try rearranged(MemoryByteSource(fits.bytes()), limit: 101).bytes.count == 101)
    }

    @Test func endlessBlocksStopWithTheCaller() throws {
        var start = FlattenedSample([(0, [1])])
        start.hasEndMark = false
        let (_, outcome) = try rearranged(EndlessSource(start: start.bytes(), block: 1 << 20)) { $0 < 64 << 20 }
        #expect(!outcome.isComplete)
        #expect(outcome.remark?.contains("stopped") == true)
    }

    @Test func whatIsNotFlattenedIsRefused() {
        #expect(throws: CoredumpError.self) { try rearranged(MemoryByteSource(KdumpSample().bytes())) }
    }

    @Test func outputThatCannotBeWrittenIsTold() throws {
        let full = try FileDescriptor.open("/dev/full", .readWrite)
        let error = #expect(throws: CoredumpError.self) {
            try full.closeAfter {
                try rearrangeFlattened(
                    MemoryByteSource(FlattenedSample([(0, [1])]).bytes()), into: full, limit: 1 << 20)
            }
        }
        guard case .unwritable = error else {
            Issue.record("\(error as Any)")
            return
        }
    }
}
