import CrashModel
import ELF

extension VmcoreReader {
    /// Reads the dump inside a flattened one where it lies; answers what to search.
    mutating func readFlattened() throws -> any ByteSource {
        // Before anything else, because a hostile file can use up what may be read.
        let isComplete = try FlattenedByteSource.hasEndMark(source)
        let dump = try FlattenedByteSource(source)
        if let damage = dump.damage { miss(damage) }
        if !isComplete {
            miss(
                "The flattened dump does not end with its end mark: it is cut off, so parts of the memory are missing.")
        }
        let start = try dump.read(at: 0, count: 8)
        if ELFHeader.hasMagic(start) {
            try readELF(dump, isWhole: false)
        } else if start.elementsEqual("KDUMP   ".utf8) || start.elementsEqual("DISKDUMP".utf8) {
            try readKdump(dump, isWhole: false)
        } else {
            throw CoredumpError.malformed(
                "The flattened dump holds neither an ELF vmcore nor a compressed one: make it anew, or send it whole.")
        }
        return dump
    }

    /// Reads the table of a VMware snapshot; answers the machine's memory, to search it.
    mutating func readVmware() throws -> any ByteSource {
        let snapshot = try VmwareSnapshot(source)
        if snapshot.isPartial { miss("VMware marked the snapshot as partial: parts of the memory are missing.") }
        if let damage = snapshot.damage, memory == nil { remarks.add(damage) }
        if let memory { return memory }
        guard let inside = snapshot.memory else {
            miss(
                "The snapshot does not hold the machine's memory: send the .vmem file that VMware wrote beside it, too."
            )
            return source
        }
        if inside.isCompressed { miss("The memory in the snapshot is compressed, which the debugger cannot read.") }
        let (end, overflow) = inside.offset.addingReportingOverflow(inside.size)
        if overflow || end > UInt64(Int64.max) {
            remarks.add("The snapshot says that its memory ends past the largest possible file.")
        } else if end > source.byteCount {
            miss(
                "The snapshot is cut off: it has \(source.byteCount) of \(end) bytes, so parts of the memory are missing.",
                expected: end)
        }
        return SlicedByteSource(source: source, start: inside.offset, statedCount: inside.size)
    }
}
