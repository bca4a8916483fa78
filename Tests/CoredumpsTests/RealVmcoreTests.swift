import Coredumps
import CrashModel
import ELF
import Glibc
import Sandbox
import SystemPackage
import TestFixtures
import Testing

/// Real dumps of Debian's kernel: the fixture beside the checkout, and those that `.ci/make-vmcore` makes.
@Suite struct RealVmcoreTests {
    @Test(.enabled(if: FixtureFolder.path != nil)) func fixtureAgreesWithCrash() async throws {
        let folder = try #require(FixtureFolder.path)
        try await ScratchDirectory.with { scratch in
            let path = scratch.appending("vmcore")
            let packed = folder.appending("kernel/vmcore-6.1.0-56-cloud-sysrq.kdump.xz")
            let unpacked = try await runTool([
                "sh", "-c", #"xz -dc -- "$0" | cp --sparse=always /dev/stdin "$1""#, packed.string, path.string,
            ])
            try #require(unpacked.succeeded)
            let told = try readVmcore(FileByteSource(path))
            #expect(told.dump.format == .kdump)
            #expect(told.dump.release?.description == "6.1.0-56-cloud-amd64")
            #expect(told.dump.buildID?.description == "3b43fad5034874490492495d552c0af6a5fab235")
            #expect(told.dump.pageBytes == 4096)
            #expect(told.dump.kaslrOffset == 0x1da0_0000)
            #expect(told.dump.dumpLevel == 31)
            #expect(told.dump.incompleteness == nil)
            #expect(told.architecture == .x86_64)
            #expect(told.crashTime == 1_795_452_034)
            #expect(told.banner?.contains("Debian 6.1.192-2 (2026-11-16)") == true)
            #expect(told.remarks == [])
            #expect(told.bytesRead < 64 << 10)
            // Cut where its pages are, it says so.
            #expect(truncate(path.string, 20_000_000) == 0)
            let cut = try readVmcore(FileByteSource(path))
            #expect(cut.truncation?.expectedBytes == told.byteCount)
            #expect(cut.dump.release == told.dump.release)
        }
    }

    @Test(
        .enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1"), arguments: MadeKernelDumps.Cause.allCases)
    func everyFormatOfAMadeDumpTellsTheSame(_ cause: MadeKernelDumps.Cause) async throws {
        let made = try await MadeKernelDumps.made()
        let vmlinux = FilePath(made.symbols.string + made.vmlinux)
        let buildID = try #require(try ELFFile(FileByteSource(vmlinux)).identity().buildID)
        for format in made.formats {
            let path = made.dump(format, of: cause)
            let told = try readVmcore(FileByteSource(path))
            let kind: VmcoreFormat = format == "flat" ? .flattened : ["raw", "elf"].contains(format) ? .elf : .kdump
            #expect(told.dump.format == kind, "\(format)")
            #expect(told.dump.release?.description == made.release, "\(format)")
            #expect(told.dump.buildID == buildID, "\(format)")
            #expect(told.dump.pageBytes == 4096, "\(format)")
            #expect(told.dump.kaslrOffset != nil, "\(format)")
            #expect(told.dump.dumpLevel == (kind == .elf ? nil : 31), "\(format)")
            #expect(told.architecture == .x86_64, "\(format)")
            #expect(told.dump.incompleteness == nil, "\(format)")
            #expect(told.banner?.hasPrefix("Linux \(made.release) #1 SMP") == true, "\(format)")
            #expect(told.remarks == [], "\(format)")
            #expect(told.bytesRead < 256 << 10, "\(format)")
        }
    }

    @Test(
        .enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1"), arguments: MadeKernelDumps.Cause.allCases)
    func rearrangedDumpIsThatOfMakedumpfile(_ cause: MadeKernelDumps.Cause) async throws {
        let flat = try await MadeKernelDumps.made().dump("flat", of: cause)
        try await ScratchDirectory.with { scratch in
            let (mine, its) = (scratch.appending("mine"), scratch.appending("its"))
            let output = try FileDescriptor.open(
                mine, .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
            let outcome = try output.closeAfter {
                try rearrangeFlattened(FileByteSource(flat), into: output, limit: 1 << 33)
            }
            #expect(outcome.isComplete)
            let compared = try await runTool([
                "sh", "-c", #"makedumpfile -R "$1" < "$0" > /dev/null && cmp "$1" "$2""#, flat.string, its.string,
                mine.string,
            ])
            #expect(compared.succeeded, "\(String(decoding: compared.standardError, as: UTF8.self))")
        }
    }

    /// crash lists the same ones; that is the retrace stage's to prove.
    @Test(
        .enabled(if: MadeKernelDumps.areWanted, "RETRACE_TEST_NO_VMCORE=1"), arguments: MadeKernelDumps.Cause.allCases)
    func loadedModulesAreThoseThatTheMachineLoaded(_ cause: MadeKernelDumps.Cause) async throws {
        let made = try await MadeKernelDumps.made()
        let vmlinux = FilePath(made.symbols.string + made.vmlinux)
        for format in made.formats where format != "flat" {
            let told = try loadedModules(
                of: FileByteSource(made.dump(format, of: cause)), vmlinux: FileByteSource(vmlinux))
            #expect(told == .names(cause.modules), "\(format)")
        }
    }
}
