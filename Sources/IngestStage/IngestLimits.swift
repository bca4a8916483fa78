import CrashModel

/// How much an upload may become on disk, and how.
package struct IngestLimits: Hashable, Sendable {
    /// Bytes of all members together, holes included: `MaxUnpackedSize` of the system that this one replaces.
    package var maxUnpackedBytes: Int64
    /// As ``maxUnpackedBytes``, for the dumps of kernels.
    package var maxKernelDumpBytes: Int64
    /// Bytes that must stay free on the disk of the tasks: its `MinStorageLeft`.
    package var minFreeBytes: Int64
    /// Headers in the archive, of whatever kind.
    package var maxMembers: Int
    /// Bytes of data, holes not counted, out of one byte of the upload.
    package var maxCompressionRatio: Int64
    /// Bytes of data from which on the ratio counts: below, it says nothing.
    package var ratioFloorBytes: Int64

    /// The first two defaults are upstream's shipped ones. xz packs pages that repeat one word about 7000:1, real cores
    /// 3:1 to 50:1.
    package init(
        maxUnpackedBytes: Int64 = 1024 << 20, maxKernelDumpBytes: Int64? = nil, minFreeBytes: Int64 = 1024 << 20,
        maxMembers: Int = 64,
        maxCompressionRatio: Int64 = 1000, ratioFloorBytes: Int64 = 256 << 20
    ) {
        self.maxUnpackedBytes = maxUnpackedBytes
        self.maxKernelDumpBytes = maxKernelDumpBytes ?? maxUnpackedBytes
        self.minFreeBytes = minFreeBytes
        self.maxMembers = maxMembers
        self.maxCompressionRatio = maxCompressionRatio
        self.ratioFloorBytes = ratioFloorBytes
    }

    /// How much a dump of that kind may become.
    func unpackedBytes(of kind: DumpKind) -> Int64 {
        switch kind {
        case .coredump: maxUnpackedBytes
        case .vmcore: maxKernelDumpBytes
        }
    }
}
