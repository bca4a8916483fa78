import ELF

/// The ELF notes that a compressed dump keeps behind its second header.
struct KdumpNotes {
    private(set) var notes: [Note] = []

    struct Note {
        let name: String
        /// At most 64 KiB of it, and of the notes of a processor nothing.
        let content: [UInt8]
        let isCut: Bool
    }

    private static let maximumCount = 16_384

    /// - Throws: ``ELFError/unreadable(_:)``.
    init(_ source: any ByteSource, at start: UInt64, size: UInt64, order: ByteOrder) throws(ELFError) {
        let (stated, overflow) = start.addingReportingOverflow(size)
        let end = overflow ? source.byteCount : min(stated, source.byteCount)
        var cursor = start
        for _ in 0..<Self.maximumCount {
            guard cursor < end, end - cursor >= 12 else { return }
            let fields = FieldDecoder(try source.read(at: cursor, count: 12 + 32), order: order, elfClass: .bits64)
            guard let nameSize = fields.uint32(at: 0), let contentSize = fields.uint32(at: 4) else { return }
            let contentOffset = 12 + Self.aligned(nameSize)
            let name = String(
                decoding: fields.bytes.dropFirst(12).prefix(Int(min(nameSize, 32))).prefix { $0 != 0 }, as: UTF8.self)
            if ["VMCOREINFO", "VMCOREINFO_XEN", "Xen"].contains(name), notes.count < 64 {
                let room = cursor + contentOffset < end ? end - cursor - contentOffset : 0
                let wanted = min(UInt64(contentSize), room, UInt64(VmcoreInfo.maximumBytes))
                notes.append(
                    Note(
                        name: name, content: try source.read(at: cursor + contentOffset, count: Int(wanted)),
                        isCut: wanted < UInt64(contentSize)))
            }
            cursor += contentOffset + Self.aligned(contentSize)
        }
    }

    private static func aligned(_ size: UInt32) -> UInt64 { (UInt64(size) + 3) & ~3 }
}
