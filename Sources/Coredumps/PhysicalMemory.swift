import ELF

/// The memory in a dump by the machine's own addresses, in pages of 4 KiB.
protocol PhysicalMemory: AnyObject {
    /// The page with a number; nil when the dump lacks it.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``; ``MemoryTrouble`` when the page is damaged.
    func page(_ frame: UInt64) throws -> [UInt8]?

    /// How far the kernel's text lies from where its mapping begins, in bytes; nil when the dump's headers do not tell.
    func base(ofText start: UInt64) -> UInt64?
}

/// Pages that were read already, not too many of them.
struct PageCache {
    private var pages: [UInt64: [UInt8]?] = [:]
    private static let maximumCount = 1024

    mutating func page(_ frame: UInt64, _ read: (UInt64) throws -> [UInt8]?) rethrows -> [UInt8]? {
        if let known = pages[frame] { return known }
        let page = try read(frame)
        if pages.count >= Self.maximumCount { pages.removeAll(keepingCapacity: true) }
        pages[frame] = .some(page)
        return page
    }
}

/// The memory in an ELF dump.
final class ELFMemory: PhysicalMemory {
    private let source: any ByteSource
    /// By physical address; those of the kernel's text lie inside others.
    private let segments: [ELFSegment]
    private var cache = PageCache()

    /// Segments that begin before an address and are looked at: those of the kernel's text are a dozen.
    private static let maximumOverlap = 64
    private static let pageBytes = 4096

    init(_ source: any ByteSource, _ file: ELFFile) {
        self.source = source
        segments = file.segments.filter { $0.kind == .load && $0.fileSize > 0 }
            .sorted { $0.physicalAddress < $1.physicalAddress }
    }

    func page(_ frame: UInt64) throws -> [UInt8]? { try cache.page(frame) { try read($0) } }

    func base(ofText start: UInt64) -> UInt64? {
        segments.first { $0.virtualAddress >= start }.map { $0.physicalAddress &- ($0.virtualAddress - start) }
    }

    private func read(_ frame: UInt64) throws -> [UInt8]? {
        let address = frame << 12
        var (low, high) = (0, segments.count)
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].physicalAddress > address { high = middle } else { low = middle + 1 }
        }
        for segment in segments[..<low].suffix(Self.maximumOverlap).reversed() {
            let skipped = address - segment.physicalAddress
            guard skipped < segment.fileSize, segment.fileSize - skipped >= UInt64(Self.pageBytes) else { continue }
            let (position, overflow) = segment.offset.addingReportingOverflow(skipped)
            guard !overflow else { continue }
            let page = try source.read(at: position, count: Self.pageBytes)
            if page.count == Self.pageBytes { return page }
        }
        return nil
    }
}
