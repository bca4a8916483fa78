import Coredumps
import CrashModel
import ELF
import TestFixtures
import Testing

/// What is found in memory where no header names the kernel.
@Suite struct KernelReleaseScanTests {
    /// An ELF dump without VMCOREINFO that holds some texts, far apart.
    private static func dump(_ texts: [String], gap: Int = 5000) -> [UInt8] {
        var kernel = ELFBuilder()
        kernel.notes = [kernel.threadNote(id: 1)]
        var memory: [UInt8] = []
        for text in texts { memory += [UInt8](repeating: 0, count: gap) + Array(text.utf8) + [0] }
        kernel.segments = [.init(at: 0x8000_0000, content: memory, physicalAddress: 0x10_0000)]
        return kernel.build()
    }

    private static let banner =
        "Linux version 5.10.0-28-amd64 (debian-kernel@lists.debian.org) (gcc-10) #1 SMP Debian 5.10.209-2 (2024-01-31)"

    @Test(
        arguments: [
            (["OSRELEASE=%s\n", "OSRELEASE=6.1.0-56-cloud-amd64\nCRASHTIME=1"], "6.1.0-56-cloud-amd64", "OSRELEASE"),
            (
                ["BOOT_IMAGE=/vmlinuz-3.10.0-1160.el7.x86_64 root=/dev/sda1 ro"], "3.10.0-1160.el7.x86_64",
                "boot command"
            ),
            (["Linux version %s (%s)", banner + "\n<6>Command line"], "5.10.0-28-amd64", "first line"),
            (
                ["Linux version 2.6.32-754.el6.x86_64 (a@b) #1 SMP Thu May 24 18:18:25 EDT 2018"],
                "2.6.32-754.el6.x86_64", "first line"
            ),
            (["kernel-4.18.0-553.el8.x86_64 4.18.0-553.el8.x86_64"], "4.18.0-553.el8.x86_64", "looks as"),
            (
                ["4.18.0-1.el8 ", banner, "BOOT_IMAGE=/vmlinuz-6.6.1-200.fc39.x86_64 quiet"], "6.6.1-200.fc39.x86_64",
                "boot command"
            ),
            ([banner, "4.18.0-1.el8 ", "OSRELEASE=6.1.0-18-amd64"], "6.1.0-18-amd64", "OSRELEASE"),
        ] as [([String], String, String)]) func theBestTextNamesTheKernel(
            _ texts: [String], _ release: String, _ evidence: String
        )
        throws
    {
        let told = try vmcore(Self.dump(texts))
        #expect(told.dump.release?.description == release)
        #expect(told.dump.releaseEvidence.contains(evidence))
    }

    @Test func firstLineOfTheLogIsTheBanner() throws {
        #expect(try vmcore(Self.dump([Self.banner + "\n<6>next"])).banner == Self.banner)
    }

    @Test(arguments: [
        ["OSRELEASE=../../etc/passwd"], ["OSRELEASE=" + String(repeating: "6.1.0", count: 100)], ["OSRELEASE=%s"],
        ["BOOT_IMAGE=/vmlinuz-"], ["Linux version 6.1.0-18-amd64 without any day"], ["libfoo-1.2.3-4.fc30"],
        ["1.2.3-4"],
        ["10.20.30-x.1"],
    ]) func whatNamesNoKernelIsNoReleaseAndNoError(_ texts: [String]) throws {
        let told = try vmcore(Self.dump(texts))
        #expect(told.dump.release == nil)
        #expect(told.dump.releaseEvidence.contains("Nothing in the dump"))
        #expect(told.remarks.contains { $0.contains("does not tell which kernel") })
    }

    @Test func textAcrossTwoBlocksIsFound() throws {
        for shift in stride(from: 0, through: 24, by: 3) {
            // Headers and notes take less than 1000 bytes.
            let start = Self.dump([]).count
            let told = try vmcore(Self.dump(["OSRELEASE=6.1.0-18-amd64"], gap: (1 << 20) - start - shift))
            #expect(told.dump.release?.description == "6.1.0-18-amd64", "\(shift) bytes before the end of a block")
        }
    }

    private func machine(_ memory: any ByteSource) throws -> Vmcore {
        try readVmcore(
            MemoryByteSource(VmwareSample().bytes()), file: "vmcore.vmss", memory: (memory, "vmcore.vmem"))
    }

    /// The kernel may lie anywhere in a machine's memory, and VMCOREINFO is at the beginning of a page.
    @Test(arguments: [(0, true), (24, true), (40, false), (4000, false)])
    func pagesOfAMachinesMemoryAreLookedAtBeyondTheFirst64Megabytes(_ offset: Int, isFound: Bool) throws {
        var memory = [UInt8](repeating: 0, count: 80 << 20)
        let info = Array(
            "OSRELEASE=6.1.0-18-amd64\nBUILD-ID=0102030405060708\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=ffffffff8200\n"
                .utf8)
        memory.replaceSubrange((70 << 20) + offset..<(70 << 20) + offset + info.count, with: info)
        let told = try machine(MemoryByteSource(memory))
        #expect((told.dump.release?.description == "6.1.0-18-amd64") == isFound)
        #expect((told.dump.buildID != nil) == isFound)
    }

    @Test func aGigabyteOfAMachinesMemoryIsEnough() throws {
        let memory = EndlessSource(start: [0])
        #expect(try machine(memory).dump.release == nil)
        #expect(memory.furthest.value <= (1 << 30) + (1 << 20))
    }

    @Test func nothingIsReadBeyondTheFirst64Megabytes() throws {
        let source = EndlessSource(start: Self.dump([]))
        let told = try readVmcore(source)
        #expect(told.dump.release == nil)
        #expect(told.bytesRead < 70_000_000)
        #expect(source.furthest.value <= 66 << 20)
    }
}
