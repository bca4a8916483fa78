import Coredumps
import CrashModel
import ELF
import Glibc
import Sandbox
import SystemPackage
import TestFixtures
import Testing

/// Real dumps of Debian's kernel: the fixture beside the checkout, and those that `.ci/make-vmcore` makes, where
/// RETRACE_VMCORES names their folder.
@Suite struct RealVmcoreTests {
    static let madeFolder = getenv("RETRACE_VMCORES").map { FilePath(String(cString: $0)) }

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
        .enabled(if: madeFolder != nil),
        arguments: ["vmcore", "vmcore-oops"], ["raw", "elf", "zlib", "lzo", "snappy", "zstd", "flat"])
    func everyFormatOfAMadeDumpTellsTheSame(_ name: String, _ kind: String) throws {
        let path = try #require(Self.madeFolder).appending("\(name).\(kind)")
        // Debian's makedumpfile knows not every compression.
        guard access(path.string, R_OK) == 0 else { return }
        let told = try readVmcore(FileByteSource(path))
        #expect(told.dump.format == (kind == "flat" ? .flattened : kind == "raw" || kind == "elf" ? .elf : .kdump))
        #expect(told.dump.release != nil)
        #expect(told.dump.buildID != nil)
        #expect(told.dump.pageBytes == 4096)
        #expect(told.dump.kaslrOffset != nil)
        #expect(told.dump.dumpLevel == (told.dump.format == .elf ? nil : 31))
        #expect(told.architecture == .x86_64)
        #expect(told.dump.incompleteness == nil)
        #expect(told.banner?.hasPrefix("Linux \(told.dump.release?.description ?? "?") #1 SMP") == true)
        #expect(told.remarks == [])
        #expect(told.bytesRead < 256 << 10)
    }

    @Test(.enabled(if: madeFolder != nil), arguments: ["vmcore", "vmcore-oops"])
    func rearrangedDumpIsThatOfMakedumpfile(_ name: String) async throws {
        let flat = try #require(Self.madeFolder).appending("\(name).flat")
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

    /// RETRACE_VMLINUX is the kernel's file of the made dumps' package.
    @Test(
        .enabled(if: madeFolder != nil && getenv("RETRACE_VMLINUX") != nil), arguments: ["vmcore", "vmcore-oops"])
    func loadedModulesAreThoseThatCrashLists(_ name: String) async throws {
        let folder = try #require(Self.madeFolder)
        let vmlinux = try #require(getenv("RETRACE_VMLINUX").map { FilePath(String(cString: $0)) })
        let listed = try await runTool(
            [
                "sh", "-c", #"printf 'mod\nexit\n' | crash -s "$0" "$1""#, vmlinux.string,
                folder.appending("\(name).zlib").string,
            ], limits: SandboxLimits())
        let names = String(decoding: listed.standardOutput, as: UTF8.self).split(separator: "\n")
            .filter { $0.hasPrefix("ffffffff") }.map { String($0.split(separator: " ")[1]) }
        #expect(!names.isEmpty, "\(String(decoding: listed.standardError, as: UTF8.self))")
        for kind in ["raw", "elf", "zlib", "lzo", "snappy", "zstd"] {
            let dump = folder.appending("\(name).\(kind)")
            guard access(dump.string, R_OK) == 0 else { continue }
            let told = try loadedModules(of: FileByteSource(dump), vmlinux: FileByteSource(vmlinux))
            #expect(told == .names(names.sorted()), "\(kind)")
        }
    }
}
