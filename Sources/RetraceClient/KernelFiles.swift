import CrashModel
import Glibc
import SystemPackage

/// The files to pack of a kernel's dump: it alone, or VMware's snapshot with the memory that lies beside it, `machine.vmem` of
/// `machine.vmss`. Blocking.
///
/// - Parameter format: What the dump is by its content.
func kernelFiles(_ path: FilePath, _ format: VmcoreFormat) -> CrashFiles {
    let name = path.lastComponent?.string ?? ""
    let memory = path.removingLastComponent().appending(KernelDump.memoryName(beside: name))
    guard format == .vmware, access(memory.string, F_OK) == 0 else {
        return CrashFiles(members: [CrashMember(.vmcore, .file(path))], taskType: 2)
    }
    // The debugger finds the memory by the snapshot's name, whatever that was called before.
    let member: CrashMember.Name = path.extension == "vmsn" ? .vmcoreSnapshot : .vmcoreSuspended
    return CrashFiles(
        members: [CrashMember(member, .file(path)), CrashMember(.vmcoreMemory, .file(memory))], taskType: 2,
        remarks: ["The machine's memory, \(printable(memory.lastComponent?.string ?? "")), is sent with its snapshot."])
}
