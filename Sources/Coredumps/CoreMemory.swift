import ELF

/// The memory of the crashed process, as far as the core holds it.
struct CoreMemory: Sendable {
    private let source: any ByteSource
    /// The `PT_LOAD` segments by address.
    let segments: [ELFSegment]
    /// What was mapped for execution, by address and without overlaps, so that one look-up is cheap whatever the core says.
    private let executable: [Range<UInt64>]

    init(_ file: ELFFile, _ source: any ByteSource) {
        self.source = source
        segments = file.segments.filter { $0.kind == .load && $0.memorySize > 0 }
            .sorted { $0.virtualAddress < $1.virtualAddress }
        var ranges: [Range<UInt64>] = []
        for segment in segments where segment.isExecutable {
            let start = max(segment.virtualAddress, ranges.last?.upperBound ?? 0)
            if start < segment.memoryEnd { ranges.append(start..<segment.memoryEnd) }
        }
        executable = ranges
    }

    /// Reads from an address on; fewer bytes where the core does not hold them all.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``.
    func read(at address: UInt64, count: Int) throws(ELFError) -> [UInt8] {
        var bytes: [UInt8] = []
        var cursor = address
        while bytes.count < count, let segment = segment(at: cursor) {
            let skipped = cursor - segment.virtualAddress
            guard skipped < segment.fileSize else { break }
            let wanted = min(UInt64(count - bytes.count), segment.fileSize - skipped)
            let (position, overflow) = segment.offset.addingReportingOverflow(skipped)
            guard !overflow else { break }
            let part = try source.read(at: position, count: Int(wanted))
            bytes += part
            guard UInt64(part.count) == wanted, cursor <= UInt64.max - wanted else { break }
            cursor += wanted
        }
        return bytes
    }

    /// The text of a C string; nil when it is not in the core or longer than `limit` bytes.
    ///
    /// - Throws: ``ELFError/unreadable(_:)``.
    func cString(at address: UInt64, limit: Int) throws(ELFError) -> [UInt8]? {
        guard address != 0 else { return nil }
        var text: [UInt8] = []
        while text.count < limit {
            let part = try read(at: address &+ UInt64(text.count), count: min(256, limit - text.count))
            if let end = part.firstIndex(of: 0) { return text + part[..<end] }
            guard !part.isEmpty else { return nil }
            text += part
        }
        return nil
    }

    /// The segment that holds an address.
    func segment(at address: UInt64) -> ELFSegment? {
        guard let index = lastIndex(notAfter: address) else { return nil }
        let segment = segments[index]
        return address < segment.memoryEnd ? segment : nil
    }

    /// Whether any byte of the range was mapped for execution.
    func isExecutable(_ range: Range<UInt64>) -> Bool {
        guard !range.isEmpty else { return false }
        let after = Self.firstIndex(in: executable) { $0.lowerBound >= range.upperBound }
        return after > 0 && executable[after - 1].upperBound > range.lowerBound
    }

    private func lastIndex(notAfter address: UInt64) -> Int? {
        let after = Self.firstIndex(in: segments) { $0.virtualAddress > address }
        return after == 0 ? nil : after - 1
    }

    /// The first element that a sorted array's predicate holds for, by halving.
    private static func firstIndex<Element>(in sorted: [Element], where holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if holds(sorted[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// A file as it is mapped in the crashed process, from its first page on.
struct MappedFile: ByteSource {
    let memory: CoreMemory
    let base: UInt64

    var byteCount: UInt64 { UInt64.max - base }

    func read(at offset: UInt64, count: Int) throws(ELFError) -> [UInt8] {
        let (address, overflow) = base.addingReportingOverflow(offset)
        return overflow ? [] : try memory.read(at: address, count: count)
    }
}
