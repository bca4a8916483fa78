import Coredumps
import CrashModel
import ELF
import TestFixtures
import Testing

@Suite struct DumpKindTests {
    @Test(
        arguments: [
            ([], "is empty"), (Array("#!/bin/sh\nexit 1\n".utf8), "is text"),
            (Array("MDMP".utf8) + [0, 1, 2], "minidump"),
            ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0], "compressed with xz"), ([0x1f, 0x8b, 8, 0], "compressed with gzip"),
            ([UInt8](repeating: 0, count: 8192), "zeros only"), ([1, 2, 3, 0xff], "neither an ELF core"),
            ([0x7f, 0x45, 0x4c, 0x46], "ends inside the ELF header"),
            ([0x7f, 0x45, 0x4c, 0x46, 9, 1, 1] + [UInt8](repeating: 0, count: 57), "class 9"),
            ([0x7f, 0x45, 0x4c, 0x46, 2, 9, 1] + [UInt8](repeating: 0, count: 57), "byte order 9"),
        ] as [([UInt8], String)]) func whatIsNoDumpIsRefusedWithItsReason(_ bytes: [UInt8], _ reason: String) throws
    {
        let found = try dumpKind(of: MemoryByteSource(bytes))
        guard case .unusable(let sentence) = found else {
            Issue.record("taken for \(found)")
            return
        }
        #expect(sentence.contains(reason))
        #expect(sentence.hasSuffix("."))
        #expect(throws: CoredumpError.notACoredump(sentence)) { try read(bytes) }
    }

    @Test(arguments: [(1, "object file"), (2, "program or library"), (3, "program or library"), (77, "type 77")])
    func elfThatIsNoCoreIsRefused(_ type: Int, _ reason: String) throws {
        let found = try dumpKind(of: MemoryByteSource(ELFBuilder(type: UInt16(type)).build()))
        guard case .unusable(let sentence) = found else {
            Issue.record("taken for \(found)")
            return
        }
        #expect(sentence.contains(reason))
    }

    @Test func kernelFormatsAreVmcores() throws {
        #expect(try dumpKind(of: MemoryByteSource(Array("KDUMP   ".utf8) + [6, 0])) == .vmcore(.kdump))
        #expect(try dumpKind(of: MemoryByteSource(Array("DISKDUMP".utf8) + [6, 0])) == .vmcore(.kdump))
        #expect(try dumpKind(of: MemoryByteSource(Array("makedumpfile".utf8) + [0, 0])) == .vmcore(.flattened))
        #expect(DumpIdentification.vmcore(.flattened).kind == .vmcore)
    }

    @Test(arguments: Machine.all) func elfWithVmcoreinfoIsAVmcoreAndOneWithoutIsACore(_ machine: Machine) throws {
        let sample = CoreSample(machine).made()
        #expect(try dumpKind(of: MemoryByteSource(sample.build())) == .coredump)
        var kernel = sample
        kernel.notes = [sample.threadNote(id: 1), .init("VMCOREINFO", 0, Array("OSRELEASE=6.1.0\n".utf8))]
        #expect(try dumpKind(of: MemoryByteSource(kernel.build())) == .vmcore(.elf))
        #expect(throws: CoredumpError.self) { try read(kernel.build()) }
    }

    @Test func elfWithPhysicalAddressesIsAVmcore() throws {
        var kernel = ELFBuilder()
        kernel.notes = [kernel.threadNote(id: 1)]
        kernel.segments = [.init(at: 0xffff_8800_0000_0000, memorySize: 1 << 20, physicalAddress: 0x1000)]
        #expect(try dumpKind(of: MemoryByteSource(kernel.build())) == .vmcore(.elf))
    }

    @Test func unknownMachineIsNamedByItsNumber() {
        var sample = CoreSample()
        sample.builder.machine = 243
        #expect(throws: CoredumpError.unknownMachine(243)) { try read(sample.bytes()) }
    }

    @Test func wrongByteOrderOfAKnownMachineIsAnUnknownMachine() {
        var sample = CoreSample()
        sample.builder.bigEndian = true
        #expect(throws: CoredumpError.unknownMachine(62)) { try read(sample.bytes()) }
    }
}
