import Coredumps
import CrashModel
import ELF
import TestFixtures
import Testing

@Suite struct CoreFactsTests {
    @Test(arguments: Machine.all) func everyMachineTellsTheSameFacts(_ machine: Machine) throws {
        let core = try read(CoreSample(machine).made(vdsoName: nil).build())
        #expect(core.architecture == machine.architecture)
        #expect(core.executable == "/usr/bin/demo")
        #expect(core.startedAs == "/usr/bin/demo")
        #expect(core.commandLine == "demo --crash")
        #expect(core.signal == CrashSignal(number: 11))
        #expect(core.faultAddress == 0xdead)
        #expect(core.processID == 4710)
        #expect(core.threads.map(\.id) == [4711, 4712])
        #expect(core.modules.map(\.path) == ["/usr/bin/demo", "/usr/lib/libdemo.so.1", machine.vdso])
        #expect(core.modules.map(\.kind) == [.executable, .library, .virtual])
        #expect(
            core.modules.map(\.buildID?.bytes) == [CoreSample.programID, CoreSample.libraryID, CoreSample.vdsoID])
        #expect(core.modules.map(\.start) == [CoreSample.programBase, CoreSample.libraryBase, CoreSample.vdsoBase])
        #expect(core.modules.map { $0.end - $0.start } == [0x4000, 0x4000, 0x2000])
        #expect(core.modules.first?.packageNote?.name == "demo")
        #expect(core.modules.first?.packageNote?.version == "1.2-3")
        #expect(core.truncation == nil)
        #expect(core.remarks == [])
    }

    @Test(arguments: Machine.all) func vdsoIsNamedByItsOwnSoname(_ machine: Machine) throws {
        let core = try read(CoreSample(machine).made(vdsoName: "linux-special.so.9").build())
        #expect(core.modules.last?.path == "linux-special.so.9")
    }

    @Test func executableIsFirstEvenAtTheHighestAddress() throws {
        var sample = CoreSample()
        sample.auxiliary = [(9, CoreSample.libraryBase + 0x1100)]
        let core = try read(sample.bytes())
        #expect(core.executable == "/usr/lib/libdemo.so.1")
        #expect(core.modules.map(\.path) == ["/usr/lib/libdemo.so.1", "/usr/bin/demo"])
    }

    @Test func withoutAuxiliaryVectorTheFirstMappedFileIsTheExecutable() throws {
        var sample = CoreSample()
        sample.auxiliary = []
        let core = try read(sample.bytes())
        #expect(core.executable == "/usr/bin/demo")
        #expect(core.remarks.contains { $0.contains("does not say where the program starts") })
    }

    @Test func scriptIsToldApartFromItsInterpreter() throws {
        var core = CoreSample().made()
        core.segments[6].content = [UInt8](repeating: 0, count: 8) + Array("/usr/bin/dnf".utf8) + [0]
        core.segments[6].memorySize = UInt64(core.segments[6].content.count)
        let read = try read(core.build())
        #expect(read.executable == "/usr/bin/demo")
        #expect(read.startedAs == "/usr/bin/dnf")
    }

    @Test func withoutFileListModulesAreFoundByTheirHeaders() throws {
        let core = try read(CoreSample().made(withFileList: false).build())
        #expect(core.modules.map(\.path) == ["/usr/bin/demo", "libdemo.so.1", "linux-vdso.so.1"])
        #expect(core.modules.map(\.kind) == [.executable, .library, .virtual])
        #expect(core.modules.map { $0.end - $0.start } == [0x4000, 0x4000, 0x2000])
        #expect(core.remarks.contains { $0.contains("no list of mapped files") })
    }

    @Test func deletedFileKeepsItsPathAndIsRemarked() throws {
        var sample = CoreSample()
        for index in 2...3 { sample.files[index].path += Array(" (deleted)".utf8) }
        let core = try read(sample.bytes())
        #expect(core.modules.map(\.path) == ["/usr/bin/demo", "/usr/lib/libdemo.so.1", "linux-vdso.so.1"])
        #expect(core.remarks.contains { $0.contains("'/usr/lib/libdemo.so.1' had been deleted") })
    }

    @Test func fileMappedTwiceIsTwoModules() throws {
        var sample = CoreSample()
        let second: UInt64 = 0x60_0000
        sample.files += [(second, second + 0x1000, 0, sample.files[2].path)]
        var core = sample.made()
        core.segments.append(.init(at: second, flags: 5, content: core.segments[2].content))
        let read = try read(core.build())
        #expect(
            read.modules.filter { $0.path == "/usr/lib/libdemo.so.1" }.map(\.start) == [CoreSample.libraryBase, second])
    }

    @Test func dataPageAtFileOffsetZeroBelongsToItsModule() throws {
        var sample = CoreSample()
        sample.files[3].page = 0
        let core = try read(sample.bytes())
        #expect(core.modules.count == 3)
        #expect(core.modules[1].end == CoreSample.libraryBase + 0x4000)
    }

    @Test func executableMappingWithoutItsFirstPageIsAModuleWithoutBuildID() throws {
        var core = CoreSample().made()
        core.segments[2].content = []
        let read = try read(core.build())
        #expect(read.modules.map(\.path) == ["/usr/bin/demo", "/usr/lib/libdemo.so.1", "linux-vdso.so.1"])
        #expect(read.modules[1].buildID == nil)
        #expect(read.remarks.contains { $0.contains("'/usr/lib/libdemo.so.1' is not in the core") })
    }

    @Test func gcoreWithoutSignalNamesNone() throws {
        var core = CoreSample().made()
        core.notes[0] = core.threadNote(id: 4711)
        core.notes[2] = core.signalNote(19, code: 128, address: 0)
        let read = try read(core.build())
        #expect(read.signal == nil)
        #expect(read.faultAddress == nil)
    }

    @Test func signalSentByAProcessHasNoFaultAddress() throws {
        var core = CoreSample().made()
        core.notes[2] = core.signalNote(11, code: 0, address: 0x1234)
        let read = try read(core.build())
        #expect(read.signal?.description == "SIGSEGV")
        #expect(read.faultAddress == nil)
    }

    @Test func codeThatARuntimeMadeIsNoModule() throws {
        var sample = CoreSample()
        sample.files += [
            (0x60_0000, 0x60_1000, 0, Array("/memfd:jit (deleted)".utf8)),
            (0x61_0000, 0x61_1000, 0, Array("/opt/wine/kernel32.dll".utf8)),
        ]
        var core = sample.made()
        core.segments.append(.init(at: 0x60_0000, memorySize: 0x1000, flags: 5))
        core.segments.append(.init(at: 0x61_0000, flags: 5, content: Array("MZ".utf8) + [0, 0]))
        let read = try read(core.build())
        #expect(read.modules.count == 3)
        #expect(read.remarks == [])
    }

    /// The dynamic loader's list names what the kernel did not; here it also points back to itself.
    @Test(arguments: Machine.all) func loaderNamesTheModulesOfACoreWithoutFileList(_ machine: Machine) throws {
        var core = CoreSample(machine).made(withFileList: false)
        let data: UInt64 = 0x70_0000
        let word: UInt64 = machine.wide ? 8 : 4
        let (first, second, name) = (data + 2 * word, data + 7 * word, data + 12 * word)
        var table = core.writer
        for value in [1, first] { table.word(value) }
        for value in [0, 0, 0, second, 0] { table.word(value) }
        for value in [CoreSample.libraryBase, name, CoreSample.libraryBase + 0xc00, first, first] { table.word(value) }
        table.raw("/opt/lib/libreal.so.1\0".utf8)
        core.segments.append(.init(at: data, flags: 6, content: table.bytes))
        core.segments[0].content = core.firstPage(buildIDs: [CoreSample.programID], debugAddress: data)
        let read = try read(core.build())
        #expect(read.modules.map(\.path).prefix(2) == ["/usr/bin/demo", "/opt/lib/libreal.so.1"])
    }

    @Test func programStartedByTheLoaderIsTheExecutable() throws {
        var sample = CoreSample()
        for index in 2...3 { sample.files[index].path = Array("/lib64/ld-linux-x86-64.so.2".utf8) }
        sample.auxiliary[1] = (9, CoreSample.libraryBase + 0x800)
        var core = sample.made()
        core.segments[2].content = core.firstPage(buildIDs: [CoreSample.libraryID], soname: "ld-linux-x86-64.so.2")
        #expect(try read(core.build()).executable == "/lib64/ld-linux-x86-64.so.2")
        core.segments[0].content = core.firstPage(buildIDs: [CoreSample.programID], isProgram: true)
        let told = try read(core.build())
        #expect(told.executable == "/usr/bin/demo")
        #expect(told.modules.map(\.kind) == [.executable, .library, .virtual])
        #expect(told.remarks == ["The program was started through the dynamic loader '/lib64/ld-linux-x86-64.so.2'."])
    }
}

/// What a rating of exploitability starts from.
@Suite struct CoreFaultTests {
    @Test(arguments: Machine.all) func everyMachineTellsSignalCodeAddressAndMappings(_ machine: Machine) throws {
        let fault = try readFault(MemoryByteSource(CoreSample(machine).bytes()))
        #expect(fault.signal == CrashSignal(number: 11) && fault.signalCode == 1 && fault.address == 0xdead)
        let code = fault.memory.first { $0.contains(CoreSample.programBase) }
        #expect(code?.protection == [.read, .execute])
        #expect(fault.memory.first { $0.contains(CoreSample.programBase + 0x1000) }?.protection == [.read, .write])
        #expect(fault.memory.map(\.start) == fault.memory.map(\.start).sorted())
    }

    @Test func rangeThatOnlyTheListOfFilesHasIsOfUnknownProtection() throws {
        var sample = CoreSample()
        sample.files.append((0x70_0000, 0x70_4000, 1, Array("/usr/lib/libmore.so".utf8)))
        let fault = try readFault(MemoryByteSource(sample.bytes()))
        #expect(fault.memory.contains(MemoryRegion(start: 0x70_0000, end: 0x70_4000, protection: nil)))
    }

    @Test func signalThatAProcessSentHasACodeAndNoAddress() throws {
        var core = CoreSample().made()
        core.notes[2] = core.signalNote(11, code: 0, address: 0xdead)
        let fault = try readFault(MemoryByteSource(core.build()))
        #expect(fault.signalCode == 0 && fault.address == nil)
    }

    @Test func whatIsNoCoreIsATypedError() {
        #expect(throws: CoredumpError.self) { try readFault(MemoryByteSource(Array("text".utf8))) }
        #expect(throws: CoredumpError.self) { try readFault(MemoryByteSource([])) }
    }
}
