import Coredumps
import CrashModel
import ELF
import SystemPackage
import TestFixtures
import Testing

/// Cores that lie: each gives a partial answer with a remark, or a typed error; none a crash or a long wait.
@Suite struct HostileCoreTests {
    /// One machine is cut at every byte, the others at every boundary of a header or field and some more.
    @Test(arguments: Machine.all) func coreCutAtEveryByteOfItsHeadersIsAnAnswer(_ machine: Machine) throws {
        let bytes = CoreSample(machine).bytes()
        let header = machine.wide ? 64 : 52
        for length in stride(from: 0, to: min(bytes.count, 4096 + 512), by: machine.number == 62 ? 1 : 4) {
            do {
                let core = try read(Array(bytes.prefix(length)))
                #expect(length >= header)
                #expect(core.truncation?.actualBytes == UInt64(length))
                #expect(core.remarks.contains { $0.contains("cut off") })
            } catch {
                #expect(length < header, "\(length) bytes: \(error)")
            }
        }
    }

    @Test func coreCutAnywhereTellsWhatIsMissing() throws {
        let bytes = CoreSample().bytes()
        for length in stride(from: 4096, to: bytes.count, by: 509) {
            let core = try read(Array(bytes.prefix(length)))
            #expect(core.truncation == CoreTruncation(expectedBytes: UInt64(bytes.count), actualBytes: UInt64(length)))
            #expect(core.signal?.number == 11)
        }
    }

    @Test func everySingleWrongByteOfTheHeadersIsAnAnswer() throws {
        let sample = CoreSample().made()
        let bytes = sample.build()
        for offset in 0..<(64 + 8 * 56 + 160) {
            for value in [0, 0x7f, 0xff] as [UInt8] {
                var wrong = bytes
                wrong[offset] = value
                _ = try? read(wrong)
            }
        }
    }

    /// The same damage in every run, so that a failure can be looked at.
    @Test(arguments: Machine.all) func randomDamageIsAnAnswer(_ machine: Machine) throws {
        var state = UInt64(machine.number)
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let values: [UInt64] = [0, 1, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 60, 1 << 63, .max, .max - 40]
        let bytes = CoreSample(machine).bytes()
        for _ in 0..<300 {
            var wrong = bytes
            for _ in 0...random(below: 5) {
                let size = [1, 2, 4, 8][random(below: 4)]
                let value = values[random(below: values.count)]
                // Mostly in headers and notes, which are full of numbers.
                let offset = random(below: random(below: 2) == 0 ? 2500 : bytes.count - 8)
                for index in 0..<size {
                    wrong[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
                }
            }
            if let core = try? read(wrong) {
                #expect(core.remarks.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
                #expect(core.bytesRead < 8 << 20)
            }
        }
    }

    @Test func extendedNumberingIsRead() throws {
        var sample = CoreSample().made()
        sample.extendedNumbering = true
        let core = try read(sample.build())
        #expect(core.modules.count == 3)
        #expect(core.remarks == [])
    }

    @Test func extendedNumberingWithoutItsSectionIsRemarkedAsCut() throws {
        var sample = CoreSample().made()
        sample.statedSegmentCount = 0xffff
        let core = try read(sample.build())
        #expect(core.truncation != nil)
        #expect(core.executable == "/usr/bin/demo")
    }

    @Test(.timeLimit(.minutes(2))) func millionSegmentsAreCountedButNotAllRead() throws {
        var sample = CoreSample().made()
        sample.extendedNumbering = true
        var bytes = sample.build()
        var count = BinaryWriter()
        count.uint32(1_000_000)
        bytes.replaceSubrange((bytes.count - 64 + 44)..<(bytes.count - 64 + 48), with: count.bytes)
        // The table of a million entries lies behind everything: zeros, so that each is PT_NULL.
        bytes += [UInt8](repeating: 0, count: 56_000_000 - bytes.count + 64)
        let core = try read(bytes)
        #expect(core.remarks.contains { $0.contains("1000000 segments; only the first 131072") })
    }

    @Test func wrappingSegmentIsRemarkedAndIgnored() throws {
        var sample = CoreSample().made()
        sample.segments.append(.init(at: 0x70_0000, memorySize: .max, statedOffset: .max - 8, statedFileSize: 4096))
        sample.segments.append(.init(at: .max - 16, memorySize: .max, content: [1, 2, 3]))
        let core = try read(sample.build())
        #expect(core.remarks.contains { $0.contains("past the largest possible file") })
        #expect(core.modules.count == 3)
        #expect(core.truncation == nil)
    }

    @Test func overlappingSegmentsAreRemarked() throws {
        var sample = CoreSample().made()
        sample.segments.append(.init(at: 0x70_0000, memorySize: 4096, statedOffset: 0, statedFileSize: 4096))
        let core = try read(sample.build())
        #expect(core.remarks.contains { $0.contains("overlap in the file") })
    }

    @Test(arguments: [UInt32.max, .max - 3, 0x7fff_ffff] as [UInt32]) func noteOfImpossibleSizeEndsTheNotes(
        _ size: UInt32
    ) throws {
        var sample = CoreSample().made()
        sample.notes[3].statedSize = size
        let byContent = try read(sample.build())
        #expect(byContent.threads.map(\.id) == [4711])
        #expect(byContent.remarks.contains { $0.contains("notes of the core end early") })
        sample.notes[3].statedSize = nil
        sample.notes[3].statedNameSize = size
        let byName = try read(sample.build())
        #expect(byName.threads.map(\.id) == [4711])
        #expect(byName.remarks.contains { $0.contains("notes of the core end early") })
    }

    @Test func notesAlignedToEightAreReadLikeThoseAlignedToFour() throws {
        var sample = CoreSample().made()
        sample.noteAlignment = 8
        #expect(try read(sample.build()).modules.count == 3)
    }

    @Test func shiftedNotesGiveAPartialAnswer() throws {
        var sample = CoreSample().made()
        sample.notes.insert(.init("CORE", 99, [1, 2, 3], statedSize: 5), at: 1)
        let core = try read(sample.build())
        #expect(core.threads.first?.id == 4711)
    }

    @Test func emptyNoteSegmentsByTheThousandDoNotLoop() throws {
        var sample = CoreSample().made()
        for _ in 0..<5000 {
            sample.segments.append(.init(type: 4, at: 0, memorySize: 0, statedOffset: 0, statedFileSize: .max))
        }
        _ = try? read(sample.build())
    }

    @Test(.timeLimit(.minutes(2))) func costOfALyingCoreIsBounded() throws {
        // Every segment of notes points at the same large run of empty notes.
        var sample = ELFBuilder()
        sample.notes = [sample.threadNote(id: 1, signal: 6)]
        let run = [UInt8](repeating: 0, count: 4 << 20)
        sample.segments = [.init(at: 0, content: run)]
        for _ in 0..<1000 {
            sample.segments.append(.init(type: 4, at: 0, statedOffset: 4096, statedFileSize: 4 << 20))
        }
        #expect(try read(sample.build()).bytesRead <= 257 << 20)
    }

    @Test func multiGigabyteCoreCostsAFewPages() throws {
        var sample = CoreSample().made()
        sample.segments.append(
            .init(at: 0x7000_0000_0000, memorySize: 8 << 30, flags: 6, statedOffset: 1 << 20, statedFileSize: 8 << 30))
        try ScratchDirectory.with { scratch in
            let path = scratch.appending("core")
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
            try file.closeAfter {
                _ = try file.writeAll(sample.build())
                _ = try file.writeAll(toAbsoluteOffset: (8 << 30) + (1 << 20) - 1, [0])
            }
            let core = try readCoredump(FileByteSource(path))
            #expect(core.truncation == nil)
            #expect(core.modules.count == 3)
            #expect(core.bytesRead < 128 << 10)
        }
    }

    @Test func manyThreadsAreCapped() throws {
        var sample = CoreSample().made()
        sample.notes += (0..<66_000).map { sample.threadNote(id: 5000 + UInt32($0)) }
        let core = try read(sample.build())
        #expect(core.threads.count == 65_536)
        #expect(core.remarks.contains { $0.contains("more than 65536 threads") })
        #expect(core.modules.count == 3)
    }
}
