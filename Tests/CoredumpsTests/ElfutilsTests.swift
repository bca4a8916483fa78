import Coredumps
import CrashModel
import ELF
import Sandbox
import SystemPackage
import TestFixtures
import Testing

/// elfutils reads the made cores as we do, so that the tests' own idea of a core is a real one.
///
/// The suite skips itself where eu-readelf is not installed.
@Suite(.enabled(if: (try? FileByteSource("/usr/bin/eu-readelf")) != nil)) struct ElfutilsTests {
    @Test(arguments: Machine.all) func elfutilsReadsTheMadeCoreAsWeDo(_ machine: Machine) async throws {
        try await ScratchDirectory.with { scratch in
            let path = scratch.appending("core")
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
            _ = try file.closeAfter { try file.writeAll(CoreSample(machine).bytes()) }
            let core = try readCoredump(FileByteSource(path))
            let notes = try await Self.run(["eu-readelf", "-n", path.string])
            #expect(notes.contains("pid: 4711") && notes.contains("pid: 4712"))
            #expect(notes.contains("cursig: 11"))
            #expect(notes.contains("fname: demo, psargs: demo --crash"))
            #expect(notes.contains("/usr/lib/libdemo.so.1"))
            #expect(notes.contains("SYSINFO_EHDR: 0x400000"))
            let list = try await Self.run(["eu-unstrip", "-n", "--core=\(path)"])
            for module in core.modules {
                let id = try #require(module.buildID)
                #expect(list.contains("0x\(String(module.start, radix: 16))+"), "\(list)")
                #expect(list.contains("\(id)@"), "\(list)")
            }
        }
    }

    private static func run(_ arguments: [String]) async throws -> String {
        let result = try await runTool(arguments)
        return String(decoding: result.standardOutput + result.standardError, as: UTF8.self)
    }
}
