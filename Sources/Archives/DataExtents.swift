import Glibc
import SystemPackage

/// `SEEK_DATA` and `SEEK_HOLE` of lseek(2), which Glibc's module hides.
private let seekData: Int32 = 3
private let seekHole: Int32 = 4

/// Holes smaller than this in all are not worth a sparse entry, which old tools may not understand.
private let minHoleBytes: Int64 = 1 << 20

/// More pieces than this would make the entry's map longer than what it saves.
private let maxExtents = 10_000

/// Where a file has data, in order; nil when it has next to no holes or the file system does not tell (lseek(2)).
///
/// - Throws: ``ArchiveError`` with `system`.
func dataExtents(of file: FileDescriptor, byteCount: Int64) throws(ArchiveError) -> [Range<Int64>]? {
    var extents: [Range<Int64>] = []
    var position: off_t = 0
    while position < byteCount {
        let start = lseek(file.rawValue, position, seekData)
        if start < 0, errno == ENXIO { break }
        if start < 0, errno == EINVAL || errno == ESPIPE { return nil }
        let end = start < 0 ? start : lseek(file.rawValue, start, seekHole)
        guard start >= position, end > start else { throw ArchiveError("look for holes", errno: errno) }
        extents.append(Int64(start)..<min(Int64(end), byteCount))
        guard extents.count <= maxExtents else { return nil }
        position = end
    }
    let dataBytes = extents.reduce(0) { $0 + Int64($1.count) }
    guard byteCount - dataBytes >= minHoleBytes else { return nil }
    // A file of nothing but a hole still needs one piece, or the entry would not be sparse.
    return extents.isEmpty ? [byteCount..<byteCount] : extents
}
