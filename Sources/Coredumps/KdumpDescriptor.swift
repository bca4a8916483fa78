import ELF

/// Where a page of a compressed dump lies, `page_desc` of makedumpfile's diskdump_mod.h.
struct KdumpDescriptor: Sendable {
    let offset: UInt64
    /// The size of the page in the file, in bytes.
    let size: UInt32
    /// How it is compressed.
    let flags: UInt32

    static let byteCount = 24

    /// One past the page's last byte; nil when the sum overflows.
    var end: UInt64? {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(size))
        return overflow ? nil : end
    }

    /// Reads descriptors that lie side by side, as many as are there.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``.
    static func read(
        at position: UInt64, count: Int, of source: any ByteSource, order: ByteOrder
    ) throws(ELFError) -> [KdumpDescriptor] {
        let fields = FieldDecoder(
            try source.read(at: position, count: count * byteCount), order: order, elfClass: .bits64)
        return stride(from: 0, to: fields.bytes.count, by: byteCount).compactMap { base in
            guard let offset = fields.uint64(at: base), let size = fields.uint32(at: base + 8),
                let flags = fields.uint32(at: base + 12)
            else { return nil }
            return KdumpDescriptor(offset: offset, size: size, flags: flags)
        }
    }
}
