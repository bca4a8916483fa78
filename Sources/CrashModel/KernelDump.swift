/// What a kernel's dump says of itself, by its headers and its VMCOREINFO note.
///
/// All of it comes from the upload, and none of it is believed before the debugger has compared it with the kernel's own
/// symbols.
package struct KernelDump: Hashable, Sendable {
    package let format: VmcoreFormat
    /// nil where nothing in the dump tells.
    package let release: KernelRelease?
    /// How ``release`` was learnt, as a sentence for people.
    package let releaseEvidence: String
    /// `BUILD-ID` of VMCOREINFO, which Linux has from 5.9 on: that of the vmlinux that ran.
    package let buildID: BuildID?
    /// `PAGESIZE` of VMCOREINFO, in bytes.
    package let pageBytes: Int?
    /// `KERNELOFFSET` of VMCOREINFO: how far the kernel was moved from where it was linked, in bytes.
    package let kaslrOffset: UInt64?
    /// Which kinds of pages were left out: the sum of makedumpfile(8)'s `-d`, 0 to 31; nil where the format does not say.
    package let dumpLevel: Int?
    /// Why not all of the dump is there, as a sentence; nil when nothing speaks against it.
    package let incompleteness: String?
    /// The name of the dump's file in `crash/`: `vmcore`, or `vmcore.vmss` and the like beside ``memoryFile``. An absolute
    /// path where an operator has it on the server, on another file system than the tasks.
    package let file: String
    /// The file that holds the memory, where the dump is two files: `vmcore.vmem` in `crash/`, or an absolute path as of
    /// ``file``.
    package let memoryFile: String?
    /// The names of the modules that were loaded, sorted, with underscores as in the kernel; nil where nobody could tell.
    package let modules: [String]?
    /// The line of the kernel's log that says why it stopped: `Kernel panic - not syncing: …`.
    package let panic: String?

    package init(
        format: VmcoreFormat, release: KernelRelease?, releaseEvidence: String, buildID: BuildID? = nil,
        pageBytes: Int? = nil, kaslrOffset: UInt64? = nil, dumpLevel: Int? = nil, incompleteness: String? = nil,
        file: String = "vmcore", memoryFile: String? = nil, modules: [String]? = nil, panic: String? = nil
    ) {
        self.format = format
        self.release = release
        self.releaseEvidence = releaseEvidence
        self.buildID = buildID
        self.pageBytes = pageBytes
        self.kaslrOffset = kaslrOffset
        self.dumpLevel = dumpLevel
        self.incompleteness = incompleteness
        self.file = file
        self.memoryFile = memoryFile
        self.modules = modules
        self.panic = panic
    }
}

extension KernelDump {
    /// The name under which VMware's memory lies beside a snapshot: `machine.vmem` of `machine.vmss`, `vmcore.vmem` of
    /// `vmcore`. crash looks for it there.
    package static func memoryName(beside snapshot: String) -> String {
        guard let dot = snapshot.lastIndex(of: "."), dot != snapshot.startIndex else { return snapshot + ".vmem" }
        return snapshot[..<dot] + ".vmem"
    }
}

/// How a kernel's dump is laid out.
package enum VmcoreFormat: String, Hashable, Sendable {
    /// What /proc/vmcore gives, `makedumpfile -E`, QEMU.
    case elf
    /// makedumpfile's own compressed format, or diskdump's.
    case kdump
    /// `makedumpfile -F`: the blocks of another format in the order they were made.
    case flattened
    /// The state of a suspended machine of VMware (`.vmss`, `.vmsn`), with its memory in a `.vmem` beside it or not.
    case vmware
}
