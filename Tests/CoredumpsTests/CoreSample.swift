import Coredumps
import CrashModel
import ELF
import TestFixtures
import Testing

/// A machine that cores are made for in the tests.
struct Machine: CustomTestStringConvertible, Sendable {
    let architecture: Architecture
    let number: UInt16
    let wide: Bool
    let bigEndian: Bool
    let vdso: String

    var testDescription: String { architecture.rawValue }

    static let all = [
        Machine(architecture: .x86_64, number: 62, wide: true, bigEndian: false, vdso: "linux-vdso.so.1"),
        Machine(architecture: .i386, number: 3, wide: false, bigEndian: false, vdso: "linux-gate.so.1"),
        Machine(architecture: .aarch64, number: 183, wide: true, bigEndian: false, vdso: "linux-vdso.so.1"),
        Machine(architecture: .armhfp, number: 40, wide: false, bigEndian: false, vdso: "linux-vdso.so.1"),
        Machine(architecture: .ppc64le, number: 21, wide: true, bigEndian: false, vdso: "linux-vdso64.so.1"),
        Machine(architecture: .ppc64, number: 21, wide: true, bigEndian: true, vdso: "linux-vdso64.so.1"),
        Machine(architecture: .s390x, number: 22, wide: true, bigEndian: true, vdso: "linux-vdso64.so.1"),
    ]
}

/// A core as Linux writes it: a program, a library, a locale archive, the vdso, a stack; two threads.
struct CoreSample {
    var builder: ELFBuilder
    static let programID = [UInt8](0x10...0x23)
    static let libraryID = [UInt8](0x30...0x43)
    static let vdsoID = [UInt8](0x50...0x63)
    static let programBase: UInt64 = 0x10_0000
    static let libraryBase: UInt64 = 0x20_0000
    static let archiveBase: UInt64 = 0x30_0000
    static let vdsoBase: UInt64 = 0x40_0000
    static let stackBase: UInt64 = 0x50_0000

    /// What `/usr/bin/demo` and the others are; a test changes what it is about.
    var files: [(start: UInt64, end: UInt64, page: UInt64, path: [UInt8])] = [
        (programBase, programBase + 0x1000, 0, Array("/usr/bin/demo".utf8)),
        (programBase + 0x1000, programBase + 0x4000, 1, Array("/usr/bin/demo".utf8)),
        (libraryBase, libraryBase + 0x1000, 0, Array("/usr/lib/libdemo.so.1".utf8)),
        (libraryBase + 0x1000, libraryBase + 0x4000, 1, Array("/usr/lib/libdemo.so.1".utf8)),
        (archiveBase, archiveBase + 0x1000, 0, Array("/usr/lib/locale/locale-archive".utf8)),
    ]
    var packageNote: [UInt8]? = Array(#"{"type":"deb","name":"demo","version":"1.2-3","architecture":"amd64"}"#.utf8)
    var programIDs = [programID]
    var auxiliary: [(key: UInt64, value: UInt64)] = [
        (3, programBase + 0x40), (9, programBase + 0x1100), (33, vdsoBase), (31, stackBase + 8),
    ]

    init(_ machine: Machine = Machine.all[0]) {
        builder = ELFBuilder(wide: machine.wide, bigEndian: machine.bigEndian, machine: machine.number)
    }

    /// Puts the notes and segments together.
    func made(withFileList: Bool = true, vdsoName: String? = "linux-vdso.so.1") -> ELFBuilder {
        var core = builder
        core.notes = [
            core.threadNote(id: 4711, signal: 11),
            core.processNote(id: 4710, name: "demo", commandLine: "demo --crash   "),
            core.signalNote(11, code: 1, address: 0xdead),
            core.auxiliaryNote(auxiliary),
        ]
        if withFileList { core.notes.append(core.filesNote(files)) }
        core.notes.append(core.threadNote(id: 4712))
        let program = core.firstPage(buildIDs: programIDs, packageNote: packageNote)
        core.segments = [
            .init(at: Self.programBase, flags: 5, content: program),
            .init(at: Self.programBase + 0x1000, memorySize: 0x3000, flags: 6),
            .init(
                at: Self.libraryBase, flags: 5,
                content: core.firstPage(buildIDs: [Self.libraryID], soname: "libdemo.so.1")),
            .init(at: Self.libraryBase + 0x1000, memorySize: 0x3000, flags: 6),
            .init(at: Self.archiveBase, flags: 4, content: [UInt8](repeating: 0x41, count: 4096)),
            .init(
                at: Self.vdsoBase, memorySize: 0x2000, flags: 5,
                content: core.firstPage(buildIDs: [Self.vdsoID], soname: vdsoName, span: 0x2000)),
            .init(
                at: Self.stackBase, flags: 6,
                content: [UInt8](repeating: 0, count: 8) + Array("/usr/bin/demo".utf8) + [0, 0, 0]),
        ]
        return core
    }

    func bytes() -> [UInt8] { made().build() }
}

/// Reads a core that a test made.
func read(_ bytes: [UInt8]) throws(CoredumpError) -> Coredump { try readCoredump(MemoryByteSource(bytes)) }
