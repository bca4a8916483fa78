import CrashModel
import ELF

extension VmcoreReader {
    /// Reads the two headers of a compressed dump and looks whether its pages are all there.
    ///
    /// - Parameter isWhole: Whether the source ends where the dump ends.
    mutating func readKdump(_ dump: any ByteSource, isWhole: Bool) throws {
        let start = try dump.read(at: 0, count: KdumpHeader.byteCount)
        guard let name = KdumpHeader.Name(start.dropFirst(12).prefix(6 * 65)) else {
            throw CoredumpError.malformed(
                "The dump is cut off inside its header, after \(start.count) bytes: make it anew, or send it whole.")
        }
        takeName(name)
        guard let header = KdumpHeader(start, machine: architecture) else {
            miss("The dump's first header is cut off or contradicts itself, so nothing behind it can be read.")
            return
        }
        if architecture == nil { architecture = Self.usual(header) }
        if header.isMarkedIncomplete {
            miss("The tool that wrote the dump marked it as incomplete: its disk was full, or it was stopped.")
        }
        guard !header.isDiskdump, header.version >= 1 else {
            if isWhole { try checkPages(dump, header) }
            return
        }
        let bytes = try dump.read(at: header.blockBytes, count: KdumpSubHeader.byteCount)
        let sub = KdumpSubHeader(bytes, of: header, machine: architecture)
        if sub.isSplit {
            throw CoredumpError.notACoredump(
                "The file is one part of a dump that was split (makedumpfile --split), and one part has not all that is "
                    + "needed; join the parts with 'makedumpfile --reassemble PART... vmcore' and send the whole dump.")
        }
        kdump = (header, sub)
        takeLevel(sub.dumpLevel)
        try readInfo(dump, header, sub)
        if isWhole {
            if bytes.count < KdumpSubHeader.byteCount {
                miss(
                    "The dump is cut off inside its second header, after \(source.byteCount) bytes.",
                    expected: header.descriptorOffset)
            }
            try checkPages(dump, header)
        }
    }

    private mutating func takeName(_ name: KdumpHeader.Name) {
        architecture = try? Architecture(name.machine)
        banner = name.banner
        guard !name.release.isEmpty else { return }
        headerRelease = try? KernelRelease(name.release)
        if headerRelease == nil {
            remarks.add(
                "The dump's header names the kernel \(Remarks.quoted(name.release)), which is no release; it was ignored."
            )
        }
    }

    private mutating func takeLevel(_ level: Int32?) {
        guard let level else { return }
        // makedumpfile(8) has five kinds of pages; a kernel's extension adds more, which crash does not need to know.
        if (0...31).contains(level) {
            dumpLevel = Int(level)
        } else {
            remarks.add("The dump's header gives the level \(level), and makedumpfile has 0 to 31; it was ignored.")
        }
    }

    /// The machine that dumps of a layout are of when no name tells.
    private static func usual(_ header: KdumpHeader) -> Architecture? {
        header.elfClass == .bits64 && header.order == .littleEndian ? .x86_64 : nil
    }

    private mutating func readInfo(_ dump: any ByteSource, _ header: KdumpHeader, _ sub: KdumpSubHeader) throws {
        if let part = sub.info {
            let limit = UInt64(VmcoreInfo.maximumBytes)
            let bytes = try dump.read(at: part.offset, count: Int(min(part.size, limit)))
            take(info: bytes, isCut: UInt64(bytes.count) < part.size)
        }
        guard let part = sub.notes else { return }
        for note in try KdumpNotes(dump, at: part.offset, size: part.size, order: header.order).notes {
            switch note.name {
            case "VMCOREINFO" where info == nil:
                take(info: note.content, isCut: note.isCut)
            case "Xen", "VMCOREINFO_XEN": addXenRemark()
            default: break
            }
        }
    }

    /// Looks for the last pages of the dump by the first and the last of their descriptors.
    ///
    /// Descriptors lie side by side and the pages behind them, so the first page tells how many descriptors there are; no
    /// bitmap is read for it.
    private mutating func checkPages(_ dump: any ByteSource, _ header: KdumpHeader) throws(ELFError) {
        let table = header.descriptorOffset
        guard source.byteCount > table else {
            miss(
                "The dump is cut off before its pages: it has \(source.byteCount) bytes, and \(table) come before the first.",
                expected: table)
            return
        }
        if header.bitmapBlocks * header.blockBytes * 8 < header.pageCount {
            remarks.add(
                "The dump's header contradicts itself: its bitmaps are too small for its \(header.pageCount) pages.")
        }
        let first = try KdumpDescriptor.read(at: table, count: 64, of: dump, order: header.order)
        guard let pages = first.map(\.offset).filter({ $0 > 0 }).min() else {
            miss("The dump holds no page of memory.")
            return
        }
        guard pages > table, pages <= UInt64(Int64.max) else {
            remarks.add(
                "The dump's list of pages contradicts itself: it leads to byte \(pages), which lies before the pages.")
            return
        }
        let count = (pages - table) / UInt64(KdumpDescriptor.byteCount)
        let last = table + (count - min(count, 256)) * UInt64(KdumpDescriptor.byteCount)
        let ends = try KdumpDescriptor.read(at: last, count: Int(min(count, 256)), of: dump, order: header.order)
            .compactMap(\.end).filter { $0 <= UInt64(Int64.max) }
        let expected = max(pages, ends.max() ?? 0)
        guard expected > source.byteCount else { return }
        miss(
            "The dump is cut off: it has \(source.byteCount) of at least \(expected) bytes, so parts of the memory are missing.",
            expected: expected)
    }
}
