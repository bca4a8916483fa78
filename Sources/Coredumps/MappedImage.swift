import CrashModel
import ELF

/// The first page of a mapped file, read as ELF.
struct MappedImage {
    let base: UInt64
    let file: ELFFile
    let identity: ELFIdentity

    /// More program headers than this have no real file (the kernel refuses more than a page or so of them).
    private static let maximumSegmentCount: UInt64 = 256

    /// nil when the core does not hold the page, or no ELF header is in it.
    init?(at base: UInt64, in memory: CoreMemory, remarks: inout Remarks) throws(ELFError) {
        self.base = base
        do {
            file = try ELFFile(
                MappedFile(memory: memory, base: base), layout: .image, maximumSegmentCount: Self.maximumSegmentCount)
            identity = try file.identity()
        } catch .unreadable(let cause) {
            throw .unreadable(cause)
        } catch {
            if case .notELF = error { return nil }
            remarks.add("The ELF header of the file at 0x\(String(base, radix: 16)) is damaged in memory: \(error).")
            return nil
        }
        for remark in identity.remarks { remarks.add("The file at 0x\(String(base, radix: 16)): \(remark).") }
    }

    /// Whether this is a program that a dynamic loader starts; libc, too, names a loader, but is not marked as a program.
    func isProgram() throws(ELFError) -> Bool {
        guard identity.interpreter != nil else { return false }
        if identity.type == .executable { return true }
        return try (file.dynamicValues()[.flags1] ?? 0) & (1 << 27) != 0
    }

    /// Where the whole file lies when its program headers are right.
    var range: Range<UInt64> {
        let (end, overflow) = base.addingReportingOverflow(file.imageSize)
        return base..<max(base, overflow ? .max : end)
    }
}
