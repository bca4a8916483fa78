import CrashModel
import Sandbox
import SystemPackage
import TaskStorage
import Testing

@testable import RetraceStage

@Suite struct DumpMountsTests {
    private func mounts(_ file: String, _ memory: String?) throws -> DumpMounts {
        let kernel = KernelDump(
            format: memory == nil ? .elf : .vmware, release: nil, releaseEvidence: "The test says so.", file: file,
            memoryFile: memory)
        return try DumpMounts(of: kernel, in: TaskDirectory(TaskID("123456789"), in: "/spool"))
    }

    /// crash looks for `x.vmem` of `x.vmss` or `x.vmsn`, and under no other name.
    @Test(arguments: [
        ("vmcore.vmss", "vmcore.vmem", "vmcore.vmss"), ("vmcore.vmsn", "vmcore.vmem", "vmcore.vmsn"),
        ("/srv/a/machine.vmss", "/srv/a/machine.vmem", "machine.vmss"),
        ("/srv/a/machine", "/srv/a/machine.vmem", "machine.vmss"),
        ("/srv/a/vmcore.1", "/srv/a/vmcore.vmem", "vmcore.1.vmss"),
    ])
    func memoryIsSeenUnderTheNameOfItsSnapshot(_ file: String, _ memory: String, _ seen: String) throws {
        let mounts = try mounts(file, memory)
        #expect(mounts.dump == "/.dump/" + seen)
        #expect(mounts.binds.map(\.target) == ["/.dump/" + seen, "/.dump/" + seen.dropLast(4) + "vmem"])
        #expect(
            mounts.binds.map(\.source.string)
                == [file, memory].map { $0.hasPrefix("/") ? $0 : "/spool/123456789/crash/" + $0 })
    }

    @Test func oneFileKeepsItsName() throws {
        #expect(try mounts("vmcore", nil).dump == "/.dump/vmcore")
        #expect(try mounts("/srv/dump.vmss", nil).binds.map(\.target) == ["/.dump/dump.vmss"])
    }

    @Test(arguments: ["../vmcore", ".hidden", "", "a/b", "/"])
    func whatIsNoBareNameIsRefused(_ name: String) {
        #expect(throws: StageError.self) { try mounts(name, nil) }
        if !name.hasPrefix("/") { #expect(throws: StageError.self) { try mounts("vmcore.vmss", name) } }
    }
}
