extension ConfigurationKey {
    /// Two services heed these: the gateway tells clients, ingest enforces.
    package static let maxUnpackedSize = Self(
        "limits.unpacked", default: "8192", "the largest unpacked upload, in MiB (MaxUnpackedSize)")
    package static let maxKernelDumpSize = Self(
        "limits.vmcore", default: nil,
        "the largest dump of a kernel, packed and unpacked, in MiB (the same as limits.packed and limits.unpacked)")
    package static let minStorageLeft = Self(
        "limits.free", default: "1024", "what must stay free on the disk of the tasks, in MiB (MinStorageLeft)")
}
