import Coredumps
import CrashModel
import ELF
import TestFixtures
import Testing

/// Dumps of kernels that tell the truth.
@Suite struct VmcoreTests {
    private static let release = "6.1.0-56-cloud-amd64"
    private static let buildID = "3b43fad5034874490492495d552c0af6a5fab235"

    @Test func compressedDumpTellsAllThatItsHeadersHold() throws {
        let bytes = KdumpSample().bytes()
        let told = try vmcore(bytes)
        #expect(told.dump.format == .kdump)
        #expect(told.dump.release?.description == Self.release)
        #expect(told.dump.releaseEvidence.contains("VMCOREINFO"))
        #expect(told.dump.buildID?.description == Self.buildID)
        #expect(told.dump.pageBytes == 4096)
        #expect(told.dump.kaslrOffset == 0x1da0_0000)
        #expect(told.dump.dumpLevel == 31)
        #expect(told.dump.incompleteness == nil)
        #expect(told.dump.file == "vmcore")
        #expect(told.dump.memoryFile == nil)
        #expect(told.architecture == .x86_64)
        #expect(told.banner == "Linux 6.1.0-56-cloud-amd64 #1 SMP Debian 6.1.192-2 (2026-11-16) x86_64")
        #expect(told.crashTime == 1_795_452_034)
        #expect(told.byteCount == UInt64(bytes.count))
        #expect(told.truncation == nil)
        #expect(told.remarks == [])
    }

    @Test func theNameOfTheMachineIsNotKept() throws {
        var sample = KdumpSample()
        sample.info = nil
        sample.release = Array("../../etc".utf8)
        let told = try vmcore(sample.bytes())
        #expect(!"\(told)".contains("secret"))
    }

    @Test(arguments: Machine.all, [0, 1, 2, 3, 4, 5, 6, 9] as [UInt32]) func everyMachineAndVersionOfTheHeaderIsRead(
        _ machine: Machine, _ version: UInt32
    ) throws {
        var sample = KdumpSample(machine: machine, machineName: Self.kernelName(machine.architecture))
        sample.version = version
        let told = try vmcore(sample.bytes())
        #expect(told.architecture == machine.architecture)
        #expect(told.dump.release?.description == Self.release)
        #expect(told.dump.buildID?.description == (version >= 3 ? Self.buildID : nil))
        #expect(told.dump.dumpLevel == (version >= 1 ? 31 : nil))
        #expect(told.dump.incompleteness == nil)
        #expect(told.remarks == [])
    }

    private static func kernelName(_ architecture: Architecture) -> String {
        switch architecture {
        case .i386: "i686"
        case .armhfp: "armv7l"
        default: architecture.rawValue
        }
    }

    @Test func diskdumpHasNoSecondHeaderOfOurs() throws {
        var sample = KdumpSample()
        sample.signature = "DISKDUMP"
        sample.status = 8
        let told = try vmcore(sample.bytes())
        #expect(told.dump.format == .kdump)
        #expect(told.dump.release?.description == Self.release)
        #expect(told.dump.releaseEvidence.contains("utsname"))
        #expect(told.dump.buildID == nil)
        #expect(told.dump.incompleteness == nil)
        sample.status = 1
        #expect(try vmcore(sample.bytes()).dump.incompleteness?.contains("incomplete") == true)
    }

    @Test func headerWithoutNamesAsOfQEMUIsReadByItsNotes() throws {
        var sample = KdumpSample()
        sample.machineName = ""
        sample.release = []
        sample.info = nil
        var notes = ELFBuilder()
        notes.notes = [
            .init("CORE", 1, [UInt8](repeating: 0, count: 336)),
            .init("VMCOREINFO", 0, Array(KdumpSample.infoText.utf8)),
        ]
        sample.notes = notes.noteBytes
        let told = try vmcore(sample.bytes())
        #expect(told.dump.release?.description == Self.release)
        #expect(told.dump.buildID?.description == Self.buildID)
        #expect(told.architecture == .x86_64)
    }

    @Test func markOfAnIncompleteDumpIsTold() throws {
        var sample = KdumpSample()
        sample.status = 1 | 8
        let told = try vmcore(sample.bytes())
        #expect(told.dump.incompleteness?.contains("marked it as incomplete") == true)
        #expect(told.remarks == [told.dump.incompleteness])
    }

    @Test func partOfASplitDumpIsRefusedWithAdvice() throws {
        var sample = KdumpSample()
        sample.split = 1
        let error = #expect(throws: CoredumpError.self) { try vmcore(sample.bytes()) }
        #expect(error?.description.contains("makedumpfile --reassemble") == true)
        // Before version 2 the field had no meaning.
        sample.version = 1
        #expect(try vmcore(sample.bytes()).dump.release != nil)
    }

    private static func kernel(_ machine: Machine = Machine.all[0], notes: [ELFBuilder.Note]? = nil) -> ELFBuilder {
        var kernel = ELFBuilder(wide: machine.wide, bigEndian: machine.bigEndian, machine: machine.number)
        kernel.notes = notes ?? [kernel.threadNote(id: 1), .init("VMCOREINFO", 0, Array(KdumpSample.infoText.utf8))]
        kernel.segments = [
            .init(at: 0x8000_0000, content: [UInt8](repeating: 0x41, count: 4096), physicalAddress: 0x10_0000)
        ]
        return kernel
    }

    @Test(arguments: Machine.all) func elfDumpTellsWhatItsNoteHolds(_ machine: Machine) throws {
        let told = try vmcore(Self.kernel(machine).build())
        #expect(told.dump.format == .elf)
        #expect(told.dump.release?.description == Self.release)
        #expect(told.dump.buildID?.description == Self.buildID)
        #expect(told.dump.dumpLevel == nil)
        #expect(told.architecture == machine.architecture)
        #expect(told.crashTime == 1_795_452_034)
        #expect(told.remarks == [])
    }

    @Test func wideHeadersOfANarrowMachineAreItsOwn() throws {
        var kernel = Self.kernel()
        kernel.machine = 3
        #expect(try vmcore(kernel.build()).architecture == .i386)
        kernel.machine = 243
        #expect(throws: CoredumpError.unknownMachine(243)) { try vmcore(kernel.build()) }
    }

    @Test func nameInMemoryIsReadWhereVmcoreinfoLeads() throws {
        var kernel = Self.kernel()
        var name: [UInt8] = []
        for text in ["Linux", "secret-host", Self.release, "#1 SMP Debian 6.1.192-2 (2026-11-16)", "x86_64", "secret"] {
            name += Array(text.utf8) + [UInt8](repeating: 0, count: 65 - text.utf8.count)
        }
        kernel.segments.append(.init(at: 0xffff_ffff_9fbf_9b60, content: name, physicalAddress: 0x1000))
        let told = try vmcore(kernel.build())
        #expect(told.banner == "Linux \(Self.release) #1 SMP Debian 6.1.192-2 (2026-11-16) x86_64")
        #expect(!"\(told)".contains("secret"))
    }

    @Test func dumpOfAXenHostIsReadAndRemarked() throws {
        let told = try vmcore(
            Self.kernel(notes: [
                .init("Xen", 0x0100_0001, [UInt8](repeating: 0, count: 80)),
                .init("VMCOREINFO_XEN", 0, Array("SYMBOL(domain_list)=ffff82d080000000\n".utf8)),
                .init("VMCOREINFO", 0, Array(KdumpSample.infoText.utf8)),
            ]).build())
        #expect(told.dump.release?.description == Self.release)
        #expect(told.remarks.count == 1)
        #expect(told.remarks.first?.contains("Xen") == true)
    }

    @Test(arguments: [17, 512, 3000, 65_536]) func flattenedDumpIsReadWhereItLies(_ blockBytes: Int) throws {
        let told = try vmcore(FlattenedSample(KdumpSample().bytes(), blockBytes: blockBytes).bytes())
        #expect(told.dump.format == .flattened)
        #expect(told.dump.release?.description == Self.release)
        #expect(told.dump.buildID?.description == Self.buildID)
        #expect(told.dump.dumpLevel == 31)
        #expect(told.dump.incompleteness == nil)
        #expect(told.remarks == [])
        let elf = try vmcore(FlattenedSample(Self.kernel().build(), blockBytes: blockBytes).bytes())
        #expect(elf.dump.format == .flattened)
        #expect(elf.dump.buildID?.description == Self.buildID)
    }

    @Test(arguments: [0xbed2_bed2, 0xbed2_bed0, 0xbad1_bad1, 0xbad2_bad2, 0xbed3_bed3] as [UInt32])
    func snapshotWithMemoryInsideIsSearched(_ magic: UInt32) throws {
        var sample = VmwareSample(magic: magic)
        sample.memory = [UInt8](repeating: 0, count: 5000) + Array(KdumpSample.infoText.utf8) + [0]
        let told = try vmcore(sample.bytes())
        #expect(told.dump.format == .vmware)
        #expect(told.dump.release?.description == Self.release)
        #expect(told.dump.releaseEvidence.contains("OSRELEASE="))
        #expect(told.dump.buildID?.description == Self.buildID)
        #expect(told.dump.pageBytes == 4096)
        #expect((told.dump.incompleteness != nil) == (magic == 0xbed3_bed3))
    }

    @Test func snapshotWithMemoryBesideItIsSearchedThere() throws {
        let memory = MemoryByteSource(
            [UInt8](repeating: 0, count: 2 << 20) + Array("OSRELEASE=5.14.0-427.el9.x86_64\0".utf8))
        let told = try readVmcore(
            MemoryByteSource(VmwareSample().bytes()), file: "vmcore.vmss", memory: (memory, "vmcore.vmem"))
        #expect(told.dump.release?.description == "5.14.0-427.el9.x86_64")
        #expect(told.dump.file == "vmcore.vmss")
        #expect(told.dump.memoryFile == "vmcore.vmem")
        #expect(told.dump.incompleteness == nil)
        #expect(told.remarks == [])
    }

    /// Nothing else in VMware's files tells of which width the machine is.
    @Test(arguments: [
        ("2.6.32-754.el6.i686", Architecture.i386), ("5.14.0-427.el9.x86_64", .x86_64), ("2.6.18-417.el5PAE", .i386),
        ("2.6.18-417.el5", .x86_64), ("4.19.0-6-686-pae", .i386), ("4.19.0-6-686", .i386), ("6.1.0-18-amd64", .x86_64),
        ("4.18.0-686", .x86_64),
    ])
    func guestOfVMwareIsOfTheMachineThatItsKernelIsFor(_ release: String, _ machine: Architecture) throws {
        let memory = MemoryByteSource(Array("\0OSRELEASE=\(release)\0".utf8))
        let told = try readVmcore(
            MemoryByteSource(VmwareSample().bytes()), file: "vmcore.vmss", memory: (memory, "vmcore.vmem"))
        #expect(told.architecture == machine && told.dump.release?.description == release)
    }

    @Test func guestOfVMwareWhoseKernelIsUnknownIsOfTheUsualMachine() throws {
        #expect(try vmcore(VmwareSample().bytes()).architecture == .x86_64)
    }

    @Test func snapshotWithoutMemoryAsksForIt() throws {
        let told = try vmcore(VmwareSample().bytes())
        #expect(told.dump.release == nil)
        #expect(told.dump.incompleteness?.contains(".vmem") == true)
    }
}
