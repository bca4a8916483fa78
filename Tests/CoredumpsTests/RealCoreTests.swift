import Coredumps
import CrashModel
import ELF
import Sandbox
import SystemPackage
import TestFixtures
import Testing

/// Real cores made by others, which lie beside the checkout: the suite skips itself where they are absent. What it checks
/// against elfutils is checked on made cores in the other suites.
@Suite(.enabled(if: FixtureFolder.path != nil)) struct RealCoreTests {
    struct RealCore: CustomTestStringConvertible, Sendable {
        let path: String
        let executable: String
        let signal: Int?
        let threadCount: Int
        var testDescription: String { path }
    }

    static let cores = [
        RealCore(
            path: "debian-cores/python3.11-ctypes.core.xz", executable: "/usr/bin/python3.11", signal: 11,
            threadCount: 1),
        RealCore(
            path: "debian-cores/flowgrindd-2threads.core.xz", executable: "/usr/sbin/flowgrindd", signal: 11,
            threadCount: 2),
        RealCore(
            path: "debian-cores/lua5.4-bytecode.core.xz", executable: "/usr/bin/lua5.4", signal: 11, threadCount: 1),
        RealCore(
            path: "debian-cores/vsftpd-accept.core.xz", executable: "/usr/sbin/vsftpd", signal: 11, threadCount: 1),
        RealCore(path: "debian-cores/sleep-nodbg.core.xz", executable: "/bin/sleep", signal: 11, threadCount: 1),
        RealCore(
            path: "debian-cores/python3.11-4threads-gcore.core.xz", executable: "/tmp/fx/pyroot/usr/bin/python3.11",
            signal: nil, threadCount: 4),
        RealCore(path: "rpm-cores/hello2-f30.core.xz", executable: "/usr/local/bin/hello", signal: 11, threadCount: 1),
        RealCore(path: "abrt/f16-sleep/coredump.xz", executable: "/bin/sleep", signal: 11, threadCount: 1),
        RealCore(
            path: "elfutils/cores/backtrace.x86_64.core.bz2",
            executable: "/home/jkratoch/redhat/elfutils/tests/backtrace.x86_64.exec", signal: 6, threadCount: 2),
        RealCore(
            path: "elfutils/cores/linkmap-cut.core.bz2", executable: ".////////////////////////////////////linkmap-cut",
            signal: 11, threadCount: 1),
        RealCore(
            path: "elfutils/cores/test-core.core.bz2",
            executable: "/home/jkratoch/redhat/elfutils-libregr/test-core-main", signal: 11, threadCount: 1),
        RealCore(path: "elfutils/cores/testcore-rtlib.bz2", executable: "./rt_crash", signal: 11, threadCount: 1),
        RealCore(
            path: "elfutils/cores/testfile-backtrace-demangle.core.bz2",
            executable: "/usr/local/src/elfutils/tests/testfile-backtrace-demangle", signal: 11, threadCount: 1),
        RealCore(path: "elfutils/cores/testfile_i686_core.bz2", executable: "/tmp/a.out", signal: 11, threadCount: 1),
        RealCore(path: "elfutils/cores/testfile65.bz2", executable: "./loop", signal: 11, threadCount: 1),
    ]

    @Test(arguments: cores) func coreAgreesWithElfutils(_ real: RealCore) async throws {
        let folder = try #require(FixtureFolder.path)
        try await ScratchDirectory.with { scratch in
            let core = scratch.appending("core")
            try await unpack(folder.appending(real.path), to: core)
            let told = try readCoredump(FileByteSource(core))
            #expect(told.executable == real.executable)
            #expect(told.signal?.number == real.signal)
            #expect(told.threads.count == real.threadCount)
            #expect(told.truncation == nil)
            #expect(told.bytesRead < 256 << 10)
            let notes = try await Self.run(["eu-readelf", "-n", core.string])
            #expect(told.threads.map(\.id) == Self.threads(inNotes: notes))
            let modules = Self.modules(inList: try await Self.run(["eu-unstrip", "-n", "--core=\(core)"]))
            let mine = told.modules.filter { $0.buildID != nil }
            #expect(
                Dictionary(mine.map { ($0.start, $0.buildID?.description) }, uniquingKeysWith: { first, _ in first })
                    == modules.mapValues { Optional($0.buildID) })
            for module in mine {
                guard let name = modules[module.start]?.name, name.hasPrefix("/") || module.kind == .virtual else {
                    continue
                }
                #expect(module.path == name)
            }
        }
    }

    @Test func pythonCoreCostsAFewPages() async throws {
        let folder = try #require(FixtureFolder.path)
        try await ScratchDirectory.with { scratch in
            let core = scratch.appending("core")
            try await unpack(folder.appending("debian-cores/python3.11-ctypes.core.xz"), to: core)
            #expect(try readCoredump(FileByteSource(core)).bytesRead < 128 << 10)
        }
    }

    @Test func elfVmcoreIsNoProcess() async throws {
        let folder = try #require(FixtureFolder.path)
        try await ScratchDirectory.with { scratch in
            let core = scratch.appending("core")
            try await unpack(folder.appending("elfutils/cores/testfile62.bz2"), to: core)
            #expect(try dumpKind(of: FileByteSource(core)) == .vmcore(.elf))
        }
    }

    @Test func kdumpAndMinidumpAreTold() async throws {
        let folder = try #require(FixtureFolder.path)
        try await ScratchDirectory.with { scratch in
            let core = scratch.appending("core")
            try await unpack(folder.appending("kernel/vmcore-6.1.0-56-cloud-sysrq.kdump.xz"), to: core)
            #expect(try dumpKind(of: FileByteSource(core)) == .vmcore(.kdump))
        }
        guard
            case .unusable(let sentence) = try dumpKind(of: FileByteSource(folder.appending("minidump/linux-mini.dmp")))
        else { return #expect(Bool(false), "a minidump is no dump of ours") }
        #expect(sentence.contains("minidump"))
    }

    @Test func everyCutOfARealCoreIsAnAnswer() async throws {
        let folder = try #require(FixtureFolder.path)
        try await ScratchDirectory.with { scratch in
            let core = scratch.appending("core")
            try await unpack(folder.appending("elfutils/cores/testfile_i686_core.bz2"), to: core)
            let source = try FileByteSource(core)
            let bytes = try source.read(at: 0, count: Int(source.byteCount))
            for length in stride(from: 0, to: 8192, by: 7) {
                guard let told = try? readCoredump(MemoryByteSource(Array(bytes.prefix(length)))) else {
                    #expect(length < 52)
                    continue
                }
                #expect(told.truncation != nil)
            }
        }
    }

    private func unpack(_ file: FilePath, to core: FilePath) async throws {
        let program = file.extension == "xz" ? "xz" : "bzip2"
        _ = try await Self.run(["sh", "-c", #""$0" -dc -- "$1" > "$2""#, program, file.string, core.string])
    }

    private static func run(_ arguments: [String]) async throws -> String {
        let result = try await runTool(arguments)
        try #require(result.succeeded, "\(arguments): \(String(decoding: result.standardError, as: UTF8.self))")
        return String(decoding: result.standardOutput, as: UTF8.self)
    }

    /// The ids in the `NT_PRSTATUS` notes that eu-readelf prints.
    private static func threads(inNotes text: String) -> [Int] {
        var isStatus = false
        var ids: [Int] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("  CORE") || line.hasPrefix("  LINUX") { isStatus = line.contains("PRSTATUS") }
            let fields = line.split(separator: " ")
            guard isStatus, fields.first == "pid:", fields.count > 1 else { continue }
            ids += Int(fields[1].prefix { $0 != "," }).map { [$0] } ?? []
        }
        return ids
    }

    /// `START+SIZE BUILDID@ADDRESS FILE DEBUG NAME` by start, where there is a build-id.
    private static func modules(inList text: String) -> [UInt64: (buildID: String, name: String)] {
        var modules: [UInt64: (buildID: String, name: String)] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 5, let start = UInt64(fields[0].dropFirst(2).prefix { $0 != "+" }, radix: 16),
                let end = fields[1].firstIndex(of: "@")
            else { continue }
            modules[start] = (String(fields[1][..<end]), String(fields[4]))
        }
        return modules
    }
}
