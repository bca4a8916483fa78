import ELF
import SystemPackage
import TestFixtures
import Testing

@Suite struct ByteSourceTests {
    @Test func readsStopAtTheEnd() throws {
        try ScratchDirectory.with { scratch in
            let path = scratch.appending("bytes")
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll([1, 2, 3, 4, 5]) }
            let sources: [any ByteSource] = [try FileByteSource(path), MemoryByteSource([1, 2, 3, 4, 5])]
            for source in sources {
                #expect(source.byteCount == 5)
                #expect(try source.read(at: 0, count: 3) == [1, 2, 3])
                #expect(try source.read(at: 3, count: Int.max) == [4, 5])
                #expect(try source.read(at: 5, count: 1) == [])
                #expect(try source.read(at: .max, count: 1) == [])
                #expect(try source.read(at: 0, count: 0) == [])
                #expect(try source.read(at: 0, count: -1) == [])
            }
        }
    }

    @Test func missingFileIsATypedError() {
        #expect(throws: ELFError.unreadable("No such file or directory")) {
            try FileByteSource("/nonexistent/core")
        }
    }

    @Test func linkAndDirectoryAreRefused() throws {
        try ScratchDirectory.with { scratch in
            _ = #expect(throws: ELFError.self) { try FileByteSource(scratch) }
        }
        #expect(throws: ELFError.self) { try FileByteSource("/proc/self/exe") }
        #expect(throws: ELFError.self) { try FileByteSource("/dev/zero") }
    }

    @Test func fieldsOutsideTheBytesAreNil() {
        let fields = FieldDecoder([1, 2, 3, 4, 5, 6, 7, 8, 0x41, 0], order: .bigEndian, elfClass: .bits32)
        #expect(fields.uint16(at: 0) == 0x0102)
        #expect(fields.word(at: 0) == 0x0102_0304)
        #expect(fields.uint64(at: 0) == 0x0102_0304_0506_0708)
        #expect(fields.uint64(at: 3) == nil)
        #expect(fields.uint16(at: -1) == nil)
        #expect(fields.uint16(at: Int.max) == nil)
        #expect(fields.cString(at: 8, limit: 2) == [0x41])
        #expect(fields.cString(at: 8, limit: 1) == nil)
        #expect(fields.cString(at: 99, limit: 1) == nil)
    }
}
