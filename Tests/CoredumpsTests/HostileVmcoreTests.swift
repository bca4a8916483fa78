import Coredumps
import CrashModel
import ELF
import Synchronization
import TestFixtures
import Testing

/// Kernel's dumps that lie: each gives a partial answer with a remark, or a typed error; none a crash or a long wait.
@Suite struct HostileVmcoreTests {
    @Test(arguments: Machine.all) func compressedDumpCutAtEveryByteOfItsHeadersIsAnAnswer(_ machine: Machine) throws {
        let sample = KdumpSample(machine: machine, machineName: machine.architecture.rawValue)
        let bytes = sample.bytes()
        let step = machine.number == 62 ? 1 : 13
        // Both headers and VMCOREINFO byte by byte; bitmaps, descriptors and pages now and then.
        let headers = [0..<520, 4090..<4700].flatMap { stride(from: $0.lowerBound, to: $0.upperBound, by: step) }
        for length in headers + Array(stride(from: 4700, to: bytes.count, by: 211)) {
            do {
                let told = try vmcore(Array(bytes.prefix(length)))
                #expect(length >= 402)
                #expect(told.dump.release?.description == "6.1.0-56-cloud-amd64")
                #expect(told.dump.incompleteness != nil, "\(length) bytes")
            } catch {
                #expect(length < 402, "\(length) bytes: \(error)")
            }
        }
    }

    @Test func elfDumpCutAtEveryByteOfItsHeadersIsAnAnswer() throws {
        var kernel = ELFBuilder()
        kernel.notes = [kernel.threadNote(id: 1), .init("VMCOREINFO", 0, Array(KdumpSample.infoText.utf8))]
        kernel.segments = [.init(at: 0x8000_0000, content: [UInt8](repeating: 1, count: 4096), physicalAddress: 0x1000)]
        let bytes = kernel.build()
        for length in 0..<bytes.count {
            if let told = try? vmcore(Array(bytes.prefix(length))) {
                #expect(told.truncation?.actualBytes == UInt64(length))
                #expect(told.dump.incompleteness?.contains("cut off") == true)
            } else {
                #expect(length < 64 + 2 * 56)
            }
        }
    }

    @Test func flattenedDumpCutAtEveryByteIsAnAnswer() throws {
        let bytes = FlattenedSample(KdumpSample().bytes(), blockBytes: 700).bytes()
        for length in stride(from: 0, to: bytes.count, by: 37) {
            do {
                let told = try vmcore(Array(bytes.prefix(length)))
                #expect(told.dump.incompleteness != nil)
            } catch {
                #expect(length < 4096 + 16 + 402, "\(length) bytes: \(error)")
            }
        }
    }

    @Test func snapshotCutAtEveryByteIsAnAnswer() throws {
        var sample = VmwareSample()
        sample.memory = [UInt8](repeating: 0, count: 3000) + Array("OSRELEASE=6.1.0-18-amd64\0".utf8)
        let bytes = sample.bytes()
        for length in 4..<(bytes.count - 1) {
            let told = try vmcore(Array(bytes.prefix(length)))
            // The mark of the end behind the memory may be missing.
            #expect(told.dump.incompleteness != nil || length >= bytes.count - 2, "\(length) bytes")
        }
    }

    @Test func zerosAreNoDump() {
        let error = #expect(throws: CoredumpError.self) { try vmcore([UInt8](repeating: 0, count: 100_000)) }
        #expect(error?.description.contains("zeros only") == true)
        let header = Array("KDUMP   ".utf8) + [UInt8](repeating: 0, count: 100_000)
        #expect(throws: CoredumpError.self) { try vmcore(header) }
    }

    @Test func coreOfAProcessIsRefused() {
        let error = #expect(throws: CoredumpError.self) { try vmcore(CoreSample().bytes()) }
        #expect(error?.description.contains("core of a process") == true)
    }

    @Test(arguments: [
        ("../..", "no kernel's release"), ("", "no kernel's release"), ("-6.1.0\0/etc", "no kernel's release"),
        (String(repeating: "6.", count: 100), "no kernel's release"),
        (String(repeating: "a", count: 60_000), "60000 bytes"),
        ("\u{1b}[2J", "no kernel's release"), ("$(reboot)", "no kernel's release"),
    ]) func lyingReleaseIsARemarkAndTheHeaderCounts(_ text: String, _ reason: String) throws {
        var sample = KdumpSample()
        sample.info = Array("OSRELEASE=\(text)\nPAGESIZE=4096\n".utf8)
        let told = try vmcore(sample.bytes())
        #expect(told.dump.release?.description == "6.1.0-56-cloud-amd64")
        #expect(told.dump.releaseEvidence.contains("utsname"))
        #expect(told.remarks.contains { $0.contains(reason) })
        #expect(told.remarks.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
        #expect(told.dump.pageBytes == 4096)
        sample.release = Array("../../x".utf8)
        let nameless = try vmcore(sample.bytes())
        #expect(nameless.dump.release == nil)
        #expect(nameless.dump.releaseEvidence.contains("Nothing in the dump"))
    }

    @Test func nonsenseInVmcoreinfoIsARemarkEach() throws {
        var sample = KdumpSample()
        sample.info = Array(
            "OSRELEASE=6.1.0-1\nOSRELEASE=6.1.0-2\nBUILD-ID=xyz\nPAGESIZE=4095\nKERNELOFFSET=-1\nCRASHTIME=x\n=\n\n"
                .utf8)
        let told = try vmcore(sample.bytes())
        #expect(told.dump.release?.description == "6.1.0-1")
        #expect(told.dump.buildID == nil)
        #expect(told.dump.pageBytes == nil)
        #expect(told.dump.kaslrOffset == nil)
        #expect(told.crashTime == nil)
        for reason in ["OSRELEASE twice", "no build-id", "PAGESIZE='4095'", "header names the kernel"] {
            #expect(told.remarks.contains { $0.contains(reason) }, "\(reason)")
        }
    }

    @Test func secondVmcoreinfoIsIgnored() throws {
        var kernel = ELFBuilder()
        kernel.notes = [
            .init("VMCOREINFO", 0, Array("OSRELEASE=6.1.0-1\n".utf8)),
            .init("VMCOREINFO", 0, Array("OSRELEASE=6.1.0-2\n".utf8)),
        ]
        let told = try vmcore(kernel.build())
        #expect(told.dump.release?.description == "6.1.0-1")
        #expect(told.remarks.contains { $0.contains("VMCOREINFO twice") })
    }

    @Test(arguments: [0xffff_ffff, 0x7fff_ffff, 0x1000_0000] as [UInt32]) func hugeNoteIsCutAndRemarked(_ size: UInt32)
        throws
    {
        var kernel = ELFBuilder()
        kernel.notes = [.init("VMCOREINFO", 0, Array("OSRELEASE=6.1.0-1\n".utf8), statedSize: size)]
        let told = try vmcore(kernel.build())
        #expect(told.dump.release?.description == "6.1.0-1")
        #expect(told.remarks.contains { $0.contains("only its beginning was read") })
        #expect(told.bytesRead < 1 << 20)
    }

    @Test func hugeCountsOfACompressedDumpCostNothing() throws {
        var sample = KdumpSample()
        sample.statedBitmapBlocks = 1 << 31
        sample.pageCount = .max
        sample.wholePageCount = .max
        sample.statedInfoSize = .max
        let told = try vmcore(sample.bytes())
        #expect(told.dump.incompleteness?.contains("cut off") == true)
        #expect(told.dump.release?.description == "6.1.0-56-cloud-amd64")
        #expect(told.remarks.contains { $0.contains("only its beginning was read") })
        #expect(told.bytesRead < 1 << 20)
    }

    @Test func levelThatMakedumpfileDoesNotHaveIsIgnored() throws {
        var sample = KdumpSample()
        sample.level = 0xdead
        let told = try vmcore(sample.bytes())
        #expect(told.dump.dumpLevel == nil)
        #expect(told.remarks.contains { $0.contains("level 57005") })
    }

    @Test func machineThatNobodyKnowsIsToldByTheRelease() throws {
        var sample = KdumpSample()
        sample.machineName = "vax"
        #expect(try vmcore(sample.bytes()).architecture == .x86_64)
        sample.machine = Machine.all[5]
        #expect(try vmcore(sample.bytes()).architecture == .x86_64)
        sample.info = nil
        sample.release = Array("2.6.9".utf8)
        #expect(throws: CoredumpError.self) { try vmcore(sample.bytes()) }
    }

    @Test(
        arguments: [
            [(-5, 10)], [(0, -1)], [(0, 0)], [(.max, 10)], [(10, .max)], [(1 << 60, 1 << 60)], [(.min, .min)],
        ] as [[(Int64, Int64)]]) func damagedBlockOfAFlattenedDumpEndsIt(_ blocks: [(Int64, Int64)]) throws
    {
        var sample = FlattenedSample(KdumpSample().bytes())
        let whole = sample.blocks.count
        for block in blocks {
            sample.statedSizes[sample.blocks.count] = block.1
            sample.blocks.append((block.0, [1, 2, 3]))
        }
        let told = try vmcore(sample.bytes())
        #expect(told.dump.incompleteness?.contains("damaged") == true)
        #expect(told.dump.release?.description == "6.1.0-56-cloud-amd64")
        // As the first block it leaves nothing.
        sample.blocks = Array(sample.blocks[whole...])
        sample.statedSizes = [0: blocks[0].1]
        #expect(throws: CoredumpError.self) { try vmcore(sample.bytes()) }
    }

    @Test func laterBlockReplacesAnEarlierOne() throws {
        var sample = FlattenedSample(KdumpSample().bytes())
        var other = KdumpSample()
        other.info = Array("OSRELEASE=6.6.6-6\n".utf8)
        other.release = Array("6.6.6-6".utf8)
        sample.blocks.append((0, Array(other.bytes().prefix(3 * 4096))))
        #expect(try vmcore(sample.bytes()).dump.release?.description == "6.6.6-6")
    }

    @Test func overlappingBlocksOfAHugeFlattenedDumpAreReadWithinBounds() throws {
        var start = FlattenedSample([(0, Array(KdumpSample().bytes()))])
        start.hasEndMark = false
        // Behind it the same header for ever: each block says that it is 48 MiB for the beginning of the dump.
        let source = EndlessSource(start: start.bytes(), block: 48 << 20)
        let told = try? readVmcore(source)
        #expect((told?.bytesRead ?? 0) < 256 << 20)
    }

    @Test(arguments: [0, 12, 172, UInt64.max - 3, 1 << 40]) func tableOfASnapshotMayLeadAnywhere(_ position: UInt64)
        throws
    {
        var sample = VmwareSample()
        sample.memory = [UInt8](repeating: 0x11, count: 4000)
        sample.groupPosition = position
        sample.statedGroupCount = .max
        _ = try vmcore(sample.bytes())
        sample.statedMemorySize = .max
        _ = try vmcore(sample.bytes())
        sample.statedMemorySize = 1 << 62
        let told = try vmcore(sample.bytes())
        if position == 172 { #expect(told.dump.incompleteness?.contains("cut off") == true) }
    }

    @Test func compressedMemoryOfASnapshotIsToldToBeUnusable() throws {
        var sample = VmwareSample()
        sample.memory = [UInt8](repeating: 0x11, count: 4000)
        sample.isCompressed = true
        #expect(try vmcore(sample.bytes()).dump.incompleteness?.contains("compressed") == true)
        sample.magic = 0xbed0_bed0
        #expect(try vmcore(sample.bytes()).remarks.contains { $0.contains("old VMware") })
    }

    /// The same damage in every run, so that a failure can be looked at.
    @Test(arguments: ["kdump", "elf", "flattened", "vmware"]) func randomDamageIsAnAnswer(_ kind: String) throws {
        var state: UInt64 = 42
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var kernel = ELFBuilder()
        kernel.notes = [kernel.threadNote(id: 1), .init("VMCOREINFO", 0, Array(KdumpSample.infoText.utf8))]
        kernel.segments = [.init(at: 0x8000_0000, content: [UInt8](repeating: 1, count: 4096), physicalAddress: 0x1000)]
        var snapshot = VmwareSample()
        snapshot.memory = Array(KdumpSample.infoText.utf8)
        let bytes =
            switch kind {
            case "kdump": KdumpSample().bytes()
            case "elf": kernel.build()
            case "flattened": FlattenedSample(KdumpSample().bytes(), blockBytes: 600).bytes()
            default: snapshot.bytes()
            }
        let values: [UInt64] = [0, 1, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 60, 1 << 63, .max, .max - 40]
        for _ in 0..<500 {
            var wrong = bytes
            for _ in 0...random(below: 4) {
                let size = [1, 2, 4, 8][random(below: 4)]
                let value = values[random(below: values.count)]
                let offset = random(below: min(bytes.count - 8, [600, 5000, 20_000][random(below: 3)]))
                for index in 0..<size {
                    wrong[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
                }
            }
            if let told = try? vmcore(wrong) {
                #expect(told.remarks.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
                #expect(told.bytesRead < 8 << 20)
            }
        }
    }
}

/// A file of 100 GiB whose beginning is given and whose rest is made: zeros, or blocks of a flattened dump.
final class EndlessSource: ByteSource {
    let start: [UInt8]
    /// The size that each block behind the start states, in bytes.
    let block: UInt64?
    let furthest = Furthest()

    final class Furthest: Sendable {
        private let largest = Atomic<UInt64>(0)
        var value: UInt64 { largest.load(ordering: .relaxed) }
        func take(_ end: UInt64) { largest.max(end, ordering: .relaxed) }
    }

    init(start: [UInt8], block: UInt64? = nil) {
        self.start = start
        self.block = block
    }

    var byteCount: UInt64 { 100 << 30 }

    func read(at offset: UInt64, count: Int) throws(ELFError) -> [UInt8] {
        guard offset < byteCount else { return [] }
        let wanted = Int(min(UInt64(count), byteCount - offset))
        furthest.take(offset + UInt64(wanted))
        var bytes = [UInt8](repeating: 0, count: wanted)
        if offset < UInt64(start.count) {
            let part = start[Int(offset)...].prefix(wanted)
            bytes.replaceSubrange(0..<part.count, with: part)
        }
        if let block, offset >= UInt64(start.count), wanted == 16 {
            bytes =
                [UInt8](repeating: 0, count: 8)
                + (0..<8).map { UInt8(truncatingIfNeeded: block >> (56 - 8 * UInt64($0))) }
        }
        return bytes
    }
}
