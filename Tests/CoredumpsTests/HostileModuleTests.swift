import Coredumps
import CrashModel
import ELF
import TestFixtures
import Testing

/// Lists of files, build-ids and package notes that lie.
@Suite struct HostileModuleTests {
    @Test(arguments: [UInt64(1) << 60, .max, 6, 1 << 32]) func fileCountThatCannotBeIsRemarked(_ count: UInt64) throws {
        let sample = CoreSample()
        var core = sample.made()
        core.notes[4] = core.filesNote(sample.files, statedCount: count)
        let read = try read(core.build())
        #expect(read.threads.count == 2)
        #expect(!read.remarks.isEmpty)
    }

    @Test func unterminatedPathIsRemarked() throws {
        let sample = CoreSample()
        var core = sample.made()
        core.notes[4] = core.filesNote(sample.files, terminated: false)
        let read = try read(core.build())
        #expect(read.modules.map(\.path) == ["/usr/bin/demo", "/usr/lib/libdemo.so.1", "linux-vdso.so.1"])
        #expect(read.remarks.contains { $0.contains("ends inside a path") })
    }

    @Test func overLongPathIsRefused() throws {
        var sample = CoreSample()
        for index in 2...3 { sample.files[index].path = [0x2f] + [UInt8](repeating: 0x61, count: 5000) }
        let core = try read(sample.bytes())
        #expect(core.modules.map(\.path) == ["/usr/bin/demo", "linux-vdso.so.1"])
        #expect(core.remarks.contains { $0.contains("its path has 5001 bytes") })
    }

    @Test func terminalEscapesAreKeptAsDataAndEscapedInRemarks() throws {
        var sample = CoreSample()
        for index in 2...3 { sample.files[index].path = Array("/usr/lib/\u{1b}[2Jx\u{202e}\n.so".utf8) }
        let core = try read(sample.bytes())
        #expect(core.modules[1].path == "/usr/lib/\u{1b}[2Jx\u{202e}\n.so")
        #expect(core.remarks.contains { $0.contains(#"\u{1b}[2Jx\u{202e}\u{a}"#) })
        #expect(core.remarks.allSatisfy { !$0.contains("\u{1b}") && !$0.contains("\n") && !$0.contains("\u{202e}") })
    }

    @Test func bytesThatAreNotUTF8AreReplaced() throws {
        var sample = CoreSample()
        for index in 2...3 { sample.files[index].path = [0x2f, 0xff, 0xfe] }
        #expect(try read(sample.bytes()).modules[1].path == "/\u{fffd}\u{fffd}")
    }

    @Test func firstOfTwoBuildIDsCounts() throws {
        var sample = CoreSample()
        sample.programIDs = [CoreSample.programID, CoreSample.libraryID]
        let core = try read(sample.bytes())
        #expect(core.modules[0].buildID?.bytes == CoreSample.programID)
        #expect(core.remarks.contains { $0.contains("two build-ids") })
    }

    @Test(arguments: [0, 1, 65]) func buildIDOfImpossibleSizeIsIgnored(_ size: Int) throws {
        var sample = CoreSample()
        sample.programIDs = [[UInt8](repeating: 7, count: size)]
        let core = try read(sample.bytes())
        #expect(core.modules[0].buildID == nil)
        #expect(core.remarks.contains { $0.contains("a build-id of \(size) bytes was ignored") })
    }

    @Test func buildIDOf64KiBIsIgnored() throws {
        var core = CoreSample().made()
        var image = ELFBuilder(type: 3)
        image.notes = [.init("GNU", 3, [UInt8](repeating: 7, count: 65_536))]
        core.segments[0].content = image.build()
        core.segments[0].memorySize = UInt64(core.segments[0].content.count)
        let read = try read(core.build())
        #expect(read.modules[0].buildID == nil)
        #expect(read.remarks.contains { $0.contains("65536 bytes was ignored") })
    }

    @Test(arguments: [
        "", "{", "[1]", "null", #"{"type":"deb"}"#, String(repeating: "[", count: 2000),
        #"{"type":"deb","name":"a","version":"1","x":"# + String(repeating: "[", count: 900)
            + String(repeating: "]", count: 900) + "}",
        #"{"type":"deb","name":"\u001b[2J","version":"1"}"#, #"{"type":1,"name":"a","version":"1"}"#,
        #"{"type":"deb","name":""# + String(repeating: "n", count: 1000) + #"","version":"1"}"#,
    ]) func badPackageNoteIsIgnored(_ json: String) throws {
        var sample = CoreSample()
        sample.packageNote = Array(json.utf8)
        let core = try read(sample.bytes())
        #expect(core.modules[0].packageNote == nil)
        #expect(core.modules[0].buildID?.bytes == CoreSample.programID)
        #expect(core.remarks.contains { $0.contains("package note was ignored") })
    }

    @Test func packageNoteWithRepeatedKeysIsRefused() throws {
        var sample = CoreSample()
        sample.packageNote = Array(#"{"type":"deb","name":"bash","version":"1","name":"evil"}"#.utf8)
        let core = try read(sample.bytes())
        #expect(core.modules[0].packageNote == nil)
    }

    @Test func hugePackageNoteIsIgnored() throws {
        var core = CoreSample().made()
        var image = ELFBuilder(type: 3)
        image.notes = [
            .init("FDO", 0xcafe_1a7e, Array((#"{"type":""# + String(repeating: "x", count: 200_000) + #""}"#).utf8))
        ]
        core.segments[0].content = image.build()
        core.segments[0].memorySize = UInt64(core.segments[0].content.count)
        let read = try read(core.build())
        #expect(read.modules[0].packageNote == nil)
        #expect(read.remarks.contains { $0.contains("longer than 16 KiB") })
    }

    @Test func remarksAreCapped() throws {
        var sample = CoreSample()
        for index in 0..<500 {
            let start = 0x100_0000 + UInt64(index) * 0x1_0000
            sample.files.append((start, start + 0x1000, 1, Array("/x/\u{1b}\(index) (deleted)".utf8)))
        }
        var core = sample.made()
        for file in sample.files.dropFirst(5) {
            core.segments.append(.init(at: file.start, memorySize: 0x1000, flags: 5))
        }
        let read = try read(core.build())
        #expect(read.modules.count == 503)
        #expect(read.remarks.count <= 33)
    }

    @Test(.timeLimit(.minutes(2))) func overlappingMappingsByTheTenThousandDoNotHang() throws {
        var sample = CoreSample()
        sample.files += (0..<20_000).map {
            (0x100_0000 + UInt64($0), 0x7fff_ffff_0000, 1, Array("/lib/\($0 % 7)".utf8))
        }
        var core = sample.made()
        core.extendedNumbering = true
        core.segments += (0..<20_000).map { .init(at: 0x100_0000 + UInt64($0), memorySize: .max, flags: 4) }
        _ = try read(core.build())
    }

    @Test func cutPageOfAModuleCostsOnlyItsBuildID() throws {
        let whole = CoreSample().made()
        for size in stride(from: 0, to: 512, by: 3) {
            var core = whole
            core.segments[0].content = Array(core.segments[0].content.prefix(size))
            core.segments[0].memorySize = 4096
            let read = try read(core.build())
            #expect(read.executable == "/usr/bin/demo")
            #expect(read.modules.count == 3)
        }
    }

    /// Found by feeding the reader random cores: the place of the notes wrapped round to the end of the address space.
    @Test(arguments: [.max, .max - 38, .max - 96, .max - 4095, 1 << 63] as [UInt64])
    func notesAtTheEndOfMemoryAreAnAnswer(
        _ address: UInt64
    ) throws {
        var core = CoreSample().made()
        var image = ELFBuilder(type: 3)
        image.segments = [
            .init(at: 0, memorySize: 0x4000, flags: 5, statedOffset: 0, statedFileSize: 0x1000),
            .init(type: 4, at: address, memorySize: 4096, statedOffset: address, statedFileSize: 4096),
        ]
        core.segments[0].content = image.build()
        core.segments[0].memorySize = 4096
        #expect(try read(core.build()).modules.first?.buildID == nil)
        core.segments.append(image.segments[1])
        #expect(try read(core.build()).executable == "/usr/bin/demo")
    }
}
