/// The headers of an ELF file, of both classes and both byte orders; everything else is read when asked for.
///
/// Nothing in the file is believed: counts are capped before anything is allocated, and a table that the file cuts short
/// is read as far as it goes.
package struct ELFFile: Sendable {
    package let header: ELFHeader
    package let segments: [ELFSegment]
    /// How many program headers the header speaks of; more than ``segments`` when some were not read.
    package let segmentCount: UInt64
    /// Whether the file ends inside its program headers.
    package let segmentsAreCut: Bool
    let source: any ByteSource
    let layout: Layout

    /// Where the parts of the file are found in the source.
    package enum Layout: Sendable {
        /// The source is the file.
        case file
        /// The source is the file as it is mapped: parts lie at their address, counted from the first page.
        case image
    }

    /// The most program headers that are read: twice what Linux allows a process by default (`vm.max_map_count`).
    package static let defaultMaximumSegmentCount: UInt64 = 131_072

    /// - Parameter maximumSegmentCount: Program headers beyond so many are counted but not read.
    /// - Throws: ``ELFError`` when the source does not begin with an ELF header, or its program headers have no usable
    ///   size.
    package init(
        _ source: any ByteSource, layout: Layout = .file,
        maximumSegmentCount: UInt64 = ELFFile.defaultMaximumSegmentCount
    ) throws(ELFError) {
        self.source = source
        self.layout = layout
        header = try ELFHeader(try source.read(at: 0, count: 64))
        segmentCount = try Self.segmentCount(header, source)
        let entrySize = ELFSegment.entrySize(of: header.elfClass)
        guard segmentCount == 0 || Int(header.programHeaderEntrySize) == entrySize else {
            throw .malformed("the ELF header has program headers of \(header.programHeaderEntrySize) bytes")
        }
        let readable = min(segmentCount, maximumSegmentCount)
        let bytes = try source.read(at: header.programHeaderOffset, count: Int(readable) * entrySize)
        let fields = FieldDecoder(bytes, order: header.order, elfClass: header.elfClass)
        segments = stride(from: 0, to: bytes.count, by: entrySize).compactMap { ELFSegment(fields, at: $0) }
        segmentsAreCut = segments.count < readable
    }

    /// The number of program headers; from the first section header when `e_phnum` is `PN_XNUM`, elf(5).
    private static func segmentCount(_ header: ELFHeader, _ source: any ByteSource) throws(ELFError) -> UInt64 {
        guard header.programHeaderCount == 0xffff else { return UInt64(header.programHeaderCount) }
        let wide = header.elfClass == .bits64
        let fields = FieldDecoder(
            try source.read(at: header.sectionHeaderOffset, count: wide ? 64 : 40), order: header.order,
            elfClass: header.elfClass)
        guard header.sectionHeaderOffset > 0, let count = fields.uint32(at: wide ? 44 : 28) else {
            // The table that would say how many there are is not in the file: there are at least so many.
            return 0xffff
        }
        return UInt64(count)
    }

    /// Decodes bytes of this file.
    package func fields(_ bytes: [UInt8]) -> FieldDecoder {
        FieldDecoder(bytes, order: header.order, elfClass: header.elfClass)
    }

    /// Where the content of a segment begins in the source.
    func position(of segment: ELFSegment) -> UInt64 {
        switch layout {
        case .file: segment.offset
        case .image: imageOffset(of: segment.virtualAddress)
        }
    }

    /// Where an address of the file, as its program headers count them, is found in the source; nil when it is not.
    func position(ofAddress address: UInt64) -> UInt64? {
        switch layout {
        case .image: return imageOffset(of: address)
        case .file:
            let holder = segments.first {
                $0.kind == .load && address >= $0.virtualAddress && address - $0.virtualAddress < $0.fileSize
            }
            guard let holder else { return nil }
            let (position, overflow) = holder.offset.addingReportingOverflow(address - holder.virtualAddress)
            return overflow ? nil : position
        }
    }

    /// The address, by the file's own count, at which offset 0 of the file is mapped.
    package var linkBase: UInt64 {
        guard let first = segments.first(where: { $0.kind == .load }) else { return 0 }
        return first.virtualAddress &- first.offset
    }

    /// Where the program headers end in the file, in bytes; at most the largest offset there is.
    package var segmentsEnd: UInt64 {
        let size = segmentCount * UInt64(ELFSegment.entrySize(of: header.elfClass))
        let (end, overflow) = header.programHeaderOffset.addingReportingOverflow(size)
        return segmentCount == 0 ? 0 : overflow ? .max : end
    }

    /// One past the last address that the file takes up when mapped, counted from its first page, in bytes.
    package var imageSize: UInt64 {
        segments.lazy.filter { $0.kind == .load }.map { $0.memoryEnd &- linkBase }.max() ?? 0
    }

    private func imageOffset(of address: UInt64) -> UInt64 { address &- linkBase }
}
