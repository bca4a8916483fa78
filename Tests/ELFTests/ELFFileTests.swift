import CrashModel
import ELF
import SystemPackage
import TestFixtures
import Testing

@Suite struct ELFFileTests {
    static let buildID = [UInt8](1...20)

    @Test(
        arguments: [
            (62, true, false, .x86_64), (3, false, false, .i386), (183, true, false, .aarch64),
            (40, false, false, .armhfp), (21, true, false, .ppc64le), (21, true, true, .ppc64),
            (22, true, true, .s390x),
            (243, true, false, nil), (62, true, true, nil), (22, false, true, nil),
        ] as [(UInt16, Bool, Bool, Architecture?)])
    func machineClassAndByteOrderNameTheArchitecture(
        _ machine: UInt16, _ wide: Bool, _ bigEndian: Bool, _ architecture: Architecture?
    ) throws {
        let bytes = ELFBuilder(wide: wide, bigEndian: bigEndian, machine: machine, type: 3)
            .firstPage(buildIDs: [Self.buildID])
        let identity = try ELFIdentity(prefix: bytes)
        #expect(identity.architecture == architecture)
        #expect(identity.type == .shared)
        #expect(identity.buildID?.bytes == Self.buildID)
        #expect(!identity.isPartial)
        #expect(identity.remarks == [])
    }

    @Test func interpreterIsRead() throws {
        var file = ELFBuilder(type: 2)
        file.segments = [.init(type: 3, at: 0, content: Array("/lib64/ld-linux-x86-64.so.2\0".utf8))]
        #expect(try ELFIdentity(prefix: file.build()).interpreter == "/lib64/ld-linux-x86-64.so.2")
    }

    @Test func prefixThatEndsBeforeTheNotesSaysSo() throws {
        var file = ELFBuilder(type: 3)
        file.notes = [.init("GNU", 3, Self.buildID)]
        let bytes = file.build()
        let whole = try ELFIdentity(prefix: bytes)
        #expect(whole.buildID?.description == "0102030405060708090a0b0c0d0e0f1011121314")
        for length in 64..<(bytes.count - 4) {
            let part = try ELFIdentity(prefix: Array(bytes.prefix(length)))
            #expect(part.buildID == nil)
            #expect(part.isPartial)
        }
    }

    @Test func objectWithoutSegmentsIsKnownByItsNoteSection() throws {
        var notes = ELFBuilder(type: 1)
        notes.notes = [.init("GNU", 3, Self.buildID)]
        var module = ELFBuilder(type: 1)
        module.sections = [.init(".text", [0x90]), .init(".note.gnu.build-id", type: 7, notes.noteBytes)]
        let identity = try ELFIdentity(prefix: module.build())
        #expect(identity.type == .relocatable)
        #expect(identity.buildID?.bytes == Self.buildID)
        let cut = try ELFIdentity(prefix: Array(module.build().dropLast(100)))
        #expect(cut.buildID == nil)
        #expect(cut.isPartial)
    }

    @Test(arguments: [(true, false), (false, false), (true, true), (false, true)])
    func debugLinksAreRead(_ wide: Bool, _ bigEndian: Bool) throws {
        var file = ELFBuilder(wide: wide, bigEndian: bigEndian, type: 3)
        var link = file.writer
        link.raw("demo.debug\0".utf8)
        link.align(4)
        link.uint32(0xcafe_f00d)
        file.sections = [
            .init(".gnu_debuglink", link.bytes),
            .init(".gnu_debugaltlink", Array("../.dwz/demo\0".utf8) + Self.buildID),
        ]
        let read = try ELFFile(MemoryByteSource(file.build()))
        #expect(try read.debugLink()?.name == "demo.debug")
        #expect(try read.debugLink()?.crc == 0xcafe_f00d)
        #expect(try read.debugAltLink()?.path == "../.dwz/demo")
        #expect(try read.debugAltLink()?.buildID.bytes == Self.buildID)
        #expect(try read.sections().map(\.name) == [".gnu_debuglink", ".gnu_debugaltlink", ".shstrtab"])
    }

    @Test func fileWithoutDebugLinksHasNone() throws {
        let file = try ELFFile(MemoryByteSource(ELFBuilder(type: 3).build()))
        #expect(try file.debugLink() == nil)
        #expect(try file.debugAltLink() == nil)
        #expect(try file.sections() == [])
    }

    @Test(arguments: [[], [0x41], Array("../x\0".utf8), Array("\0".utf8) + [1, 2, 3]] as [[UInt8]])
    func damagedDebugLinksAreNone(_ content: [UInt8]) throws {
        var file = ELFBuilder(type: 3)
        file.sections = [.init(".gnu_debugaltlink", content), .init(".gnu_debuglink", content)]
        let read = try ELFFile(MemoryByteSource(file.build()))
        #expect(try read.debugAltLink() == nil)
        #expect(try read.debugLink() == nil)
    }

    @Test func sectionTableCutOffIsATypedError() throws {
        var file = ELFBuilder(type: 3)
        file.sections = [.init(".gnu_debuglink", [1, 2, 3, 4])]
        let read = try ELFFile(MemoryByteSource(Array(file.build().dropLast(64))))
        #expect(throws: ELFError.truncated("its section headers")) { try read.sections() }
    }

    @Test func everySingleWrongByteIsAnAnswer() throws {
        var file = ELFBuilder(type: 3)
        file.notes = [.init("GNU", 3, Self.buildID)]
        file.sections = [.init(".gnu_debugaltlink", Array("x\0".utf8) + Self.buildID)]
        let bytes = file.build()
        for offset in bytes.indices {
            for value in [0, 1, 0x7f, 0x80, 0xff] as [UInt8] {
                var wrong = bytes
                wrong[offset] = value
                guard let read = try? ELFFile(MemoryByteSource(wrong)) else { continue }
                _ = try? read.identity()
                _ = try? read.debugAltLink()
                _ = try? read.soname()
                _ = try? read.neededLibraries()
            }
        }
    }

    @Test func whatIsNotELFIsATypedError() {
        #expect(throws: ELFError.notELF) { try ELFIdentity(prefix: []) }
        #expect(throws: ELFError.notELF) { try ELFIdentity(prefix: Array("#!/bin/sh".utf8)) }
        #expect(throws: ELFError.truncated("the ELF header")) { try ELFIdentity(prefix: [0x7f, 0x45, 0x4c, 0x46, 2]) }
    }

    @Test func programHeadersOfAWrongSizeAreATypedError() {
        var bytes = ELFBuilder(type: 3).firstPage(buildIDs: [Self.buildID])
        bytes[54] = 57
        #expect(throws: ELFError.malformed("the ELF header has program headers of 57 bytes")) {
            try ELFIdentity(prefix: bytes)
        }
    }

    @Test func sonameIsReadFromAFile() throws {
        let page = ELFBuilder(type: 3).firstPage(soname: "libdemo.so.1")
        #expect(try ELFFile(MemoryByteSource(page)).soname() == "libdemo.so.1")
    }

    @Test func neededLibrariesOfAProgramAreThoseThatItIsLinkedWith() throws {
        let needed = try ELFFile(try FileByteSource("/usr/bin/env")).neededLibraries()
        #expect(needed == ["libc.so.6"])
        #expect(try ELFFile(MemoryByteSource(ELFBuilder(type: 3).build())).neededLibraries() == [])
    }
}
