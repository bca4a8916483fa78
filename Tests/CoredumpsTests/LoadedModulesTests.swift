import Coredumps
import CrashModel
import ELF
import TestFixtures
import Testing

@Suite struct LoadedModulesTests {
    private static let sorted = ["dummy", "virtio", "virtio_blk", "virtio_pci", "virtio_ring"]

    private func told(_ dump: [UInt8], _ vmlinux: [UInt8] = KernelSample.vmlinux()) throws -> LoadedKernelModules {
        try loadedModules(of: MemoryByteSource(dump), vmlinux: MemoryByteSource(vmlinux))
    }

    /// Why nobody could tell; a list of names is recorded as an issue.
    private func reason(_ dump: [UInt8], _ vmlinux: [UInt8] = KernelSample.vmlinux()) throws -> String {
        switch try told(dump, vmlinux) {
        case .unknown(let reason): return reason
        case .names(let names):
            Issue.record("\(names)")
            return ""
        }
    }

    @Test(arguments: [false, true], [false, true]) func namesAreReadFromBothFormats(_ five: Bool, _ large: Bool) throws
    {
        let sample = KernelSample(hasFiveLevels: five, hasLargePages: large)
        #expect(try told(sample.kdump()) == .names(Self.sorted))
        #expect(try told(sample.elf()) == .names(Self.sorted))
    }

    @Test func pagesOfEveryCompressionAreRead() throws {
        let sample = KernelSample()
        // Streams that only hold the page: stored deflate, a raw block, one run of literals.
        let size: [UInt8] = [0x00, 0x10]
        let zlib = sample.kdump(flags: 1) { page in
            var (a, b): (UInt32, UInt32) = (1, 0)
            for byte in page {
                a = (a + UInt32(byte)) % 65_521
                b = (b + a) % 65_521
            }
            let check = [b >> 8, b, a >> 8, a].map { UInt8(truncatingIfNeeded: $0) }
            return [0x78, 1, 1] + size + size.map { ~$0 } + page + check
        }
        let lzo = sample.kdump(flags: 2) {
            [0] + [UInt8](repeating: 0, count: (4096 - 19) / 255) + [UInt8((4096 - 19) % 255 + 1)] + $0 + [17, 0, 0]
        }
        let snappy = sample.kdump(flags: 4) { [0x80, 0x20, 61 << 2, 0xff, 0x0f] + $0 }
        let zstd = sample.kdump(flags: 0x20) {
            [0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x0f, 0x01, 0x80, 0x00] + $0
        }
        for dump in [zlib, lzo, snappy, zstd] { #expect(try told(dump) == .names(Self.sorted)) }
    }

    @Test func encryptedMemoryIsFoundBelowItsMark() throws {
        #expect(try told(KernelSample(encryptionBit: 1 << 47).kdump()) == .names(Self.sorted))
    }

    @Test func kernelWithoutModulesHasNone() throws {
        #expect(try told(KernelSample(modules: []).kdump()) == .names([]))
    }

    @Test func moduleThatIsNotFormedIsLeftOut() throws {
        #expect(try told(KernelSample(modules: ["one", "two"], states: ["one": 3]).kdump()) == .names(["two"]))
    }

    @Test func baseIsTakenFromTheHeadersWhereVmcoreinfoLacksIt() throws {
        var sample = KernelSample()
        sample.vmcoreinfo = sample.infoText.split(separator: "\n").map(String.init).filter { !$0.contains("phys_base") }
        #expect(try reason(sample.elf()).contains("where in memory"))
        // The kernel's text as /proc/vmcore has it: once more, at its own addresses.
        #expect(try told(sample.elf(withText: true)) == .names(Self.sorted))
    }

    @Test func listThatContradictsItselfIsNotBelieved() throws {
        let pokes: [(String, (inout KernelSample.Memory) -> Void)] = [
            ("two are not of one kernel", { $0.write(7, at: $0.modules[2], size: 4) }),
            ("two are not of one kernel", { $0.write(0xdead, at: $0.modules[2] + 16) }),
            ("two are not of one kernel", { $0.write(Array("../../x".utf8), at: $0.modules[1] + 24) }),
            ("two are not of one kernel", { $0.write([0], at: $0.modules[1] + 24) }),
            // Round in a circle that does not come by the list.
            ("two are not of one kernel", { $0.write(KernelSample.moduleBase + 0xfe8, at: $0.modules[3] + 8) }),
            ("contradicts itself", { $0.write(KernelSample.textBase, at: $0.list + 8) }),
            ("two are not of one kernel", { $0.write(0x1234_5678, at: $0.modules[4] + 8) }),
            ("lacks the memory", { $0.write(0xffff_ffff_f000_0000, at: $0.modules[4] + 8) }),
            ("lacks the memory", { $0.pages[$0.modules[2] >> 12] = nil }),
            ("lacks the memory", { $0.pages[(KernelSample.physicalBase + KernelSample.tableOffset) >> 12] = nil }),
        ]
        for (reason, poke) in pokes {
            let sample = KernelSample(poke: poke)
            #expect(try self.reason(sample.kdump()).contains(reason))
            #expect(try self.reason(sample.elf()).contains(reason))
        }
    }

    @Test func longestNameEndsWhereItsFieldDoes() throws {
        let name = String(repeating: "m", count: 56)
        let sample = KernelSample(
            modules: [name], poke: { $0.write(Array("garbage".utf8), at: $0.modules[0] + 24 + 56) })
        #expect(try told(sample.kdump()) == .names([name]))
    }

    @Test func listOfTenThousandEndsTheWalk() throws {
        var sample = KernelSample(modules: (0..<60).map { "module_\($0)" })
        #expect(try told(sample.kdump()) == .names(sample.modules.sorted()))
        // A ring of two that both name each other would be walked for ever, but an entry has one that comes before.
        sample.poke = { memory in
            memory.write(KernelSample.moduleBase + 0xfe8, at: memory.modules[1] + 8)
        }
        #expect(try reason(sample.kdump()).contains("two are not of one kernel"))
    }

    @Test func vmlinuxThatDoesNotFitIsToldSo() throws {
        let dump = KernelSample().kdump()
        #expect(try reason(dump, []).contains("vmlinux cannot be read"))
        #expect(try reason(dump, KernelSample.vmlinux(machine: 183)).contains("not of x86_64"))
        #expect(try reason(dump, ELFBuilder(type: 2).build()).contains("no symbol table"))
        #expect(try reason(dump, KernelSample.vmlinux([("nr_modules", 1, true)])).contains("no list of modules"))
        let other = KernelSample.vmlinux([("nr_modules", 1, true), ("modules", KernelSample.textBase + 0x2000, true)])
        #expect(try reason(dump, other).contains("two are not of one kernel"))
    }

    @Test func dumpsThatCannotBeReadAreToldSo() throws {
        #expect(try reason(FlattenedSample(KernelSample().kdump()).bytes()).contains("flattened"))
        #expect(try reason(VmwareSample().bytes()).contains("VMware"))
        #expect(try reason(CoreSample().bytes()).contains("not a kernel's dump"))
        #expect(try reason([]).contains("empty"))
        var sample = KdumpSample()
        sample.machine = Machine.all[6]
        sample.machineName = "s390x"
        #expect(try reason(sample.bytes()).contains("s390x"))
        sample = KdumpSample()
        sample.info = nil
        #expect(try reason(sample.bytes()).contains("no VMCOREINFO"))
        sample.split = 1
        #expect(try reason(sample.bytes()).contains("--reassemble"))
    }

    @Test func everyCutIsAnAnswer() throws {
        let dump = KernelSample().kdump()
        let vmlinux = KernelSample.vmlinux()
        for length in stride(from: 0, to: dump.count, by: 1021) {
            _ = try reason(Array(dump.prefix(length)))
        }
        for length in stride(from: 0, to: vmlinux.count, by: 7) {
            _ = try told(dump, Array(vmlinux.prefix(length)))
        }
    }

    /// The same damage in every run, so that a failure can be looked at.
    @Test(arguments: ["kdump", "elf"]) func randomDamageIsAnAnswer(_ format: String) throws {
        let bytes = format == "elf" ? KernelSample().elf() : KernelSample().kdump()
        var state: UInt64 = 11
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let values: [UInt64] = [0, 1, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 60, 1 << 63, .max, .max - 40]
        for _ in 0..<100 {
            var wrong = bytes
            for _ in 0...random(below: 4) {
                let value = values[random(below: values.count)]
                let offset = random(below: [600, 8000, bytes.count - 8][random(below: 3)])
                for index in 0..<8 { wrong[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) }
            }
            if case .names(let names) = try told(wrong) { #expect(names.count <= 5) }
        }
    }
}
