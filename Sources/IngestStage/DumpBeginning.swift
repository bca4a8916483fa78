import Coredumps
import CrashModel
import ELF
import SystemPackage

/// Reads the headers of a kernel's dump while the rest of it is still being unpacked, so that the kernel is known within
/// moments whatever the size.
///
/// It is an attempt: it fails in silence, and whoever reads the whole dump in the end decides.
struct DumpBeginning {
    private let file: FilePath
    /// The sizes at which the file is still to be looked at, in bytes: where most dumps have all of their headers, and
    /// where those of machines with very many processors have.
    private var sizes: [Int64] = [4 << 20, 64 << 20]
    /// The kernel as far as it is known.
    private(set) var kernel: KernelDump?

    /// - Parameter file: Where the dump is being written.
    init(_ file: FilePath) { self.file = file }

    /// Looks whether the kernel can be told now. Blocking, for the time that a few reads take, and only at some sizes.
    ///
    /// - Parameters:
    ///   - byteCount: How much of the dump is there.
    ///   - progress: Is told the kernel, or what more is known of it.
    mutating func look(after byteCount: Int64, _ progress: (IngestProgress) -> Void) {
        guard let size = sizes.first, byteCount >= size else { return }
        sizes.removeAll { byteCount >= $0 }
        guard let source = try? FileByteSource(file), let found = readVmcoreBeginning(source) else { return }
        if found.buildID != nil { sizes = [] }
        guard found != kernel else { return }
        kernel = found
        progress(.kernel(found))
    }
}
