/// What kind of memory image was uploaded.
package enum DumpKind: String, Hashable, Sendable {
    /// The ELF core of one user process.
    case coredump
    /// A kernel's memory image, made by kdump, QEMU or VMware.
    case vmcore
}
