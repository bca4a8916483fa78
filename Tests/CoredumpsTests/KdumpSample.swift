import Coredumps
import CrashModel
import ELF
import TestFixtures
import Testing

/// A compressed dump as makedumpfile writes it; a test changes what it is about.
struct KdumpSample {
    var machine = Machine.all[0]
    var machineName = "x86_64"
    var signature = "KDUMP   "
    var version: UInt32 = 6
    var release = Array("6.1.0-56-cloud-amd64".utf8)
    /// 1 is zlib, 8 incomplete.
    var status: UInt32 = 1
    var level: UInt32 = 31
    var split: UInt32 = 0
    var info: [UInt8]? = Array(infoText.utf8)
    /// The ELF notes behind the second header.
    var notes: [UInt8] = []
    /// Frame number and content of each page, by frame.
    var pages: [(frame: Int, content: [UInt8], flags: UInt32)] = [
        (1, [UInt8](repeating: 0x41, count: 4096), 0), (7, [UInt8](repeating: 0x42, count: 4096), 0),
    ]
    var pageCount: UInt32 = 65_498
    var statedBitmapBlocks: UInt32?
    var statedInfoSize: UInt64?
    var wholePageCount: UInt64?
    /// Whether numbers of 64 bits are aligned as on i386.
    var isPacked: Bool { !machine.wide && machine.architecture == .i386 }

    static let infoText = """
        OSRELEASE=6.1.0-56-cloud-amd64
        BUILD-ID=3b43fad5034874490492495d552c0af6a5fab235
        PAGESIZE=4096
        SYMBOL(init_uts_ns)=ffffffff9fbf9b60
        OFFSET(uts_namespace.name)=0
        NUMBER(phys_base)=-364904448
        SYMBOL(init_top_pgt)=ffffffffa0410000
        KERNELOFFSET=1da00000
        CRASHTIME=1795452034

        """

    static let block = 4096
    /// Both bitmaps together.
    var bitmapBlocks = 2

    func bytes() -> [UInt8] {
        var file = writer
        file.raw(header)
        file.pad(to: Self.block)
        let subHeader = Self.block
        let text = info ?? []
        file.raw(
            self.subHeader(infoOffset: info == nil ? 0 : subHeader + 128, notesOffset: subHeader + 128 + text.count))
        file.pad(to: subHeader + 128)
        file.raw(text)
        file.raw(notes)
        let bitmapStart = (file.bytes.count + Self.block - 1) / Self.block * Self.block
        file.pad(to: bitmapStart)
        for _ in 0..<2 {
            var bitmap = [UInt8](repeating: 0, count: Self.block * bitmapBlocks / 2)
            for page in pages { bitmap[page.frame / 8] |= 1 << (page.frame % 8) }
            file.raw(bitmap)
        }
        var position = file.bytes.count + pages.count * 24
        for page in pages {
            file.number(UInt64(position), size: 8)
            file.uint32(UInt32(page.content.count))
            file.uint32(page.flags)
            file.number(0, size: 8)
            position += page.content.count
        }
        for page in pages { file.raw(page.content) }
        return file.bytes
    }

    private var writer: BinaryWriter { BinaryWriter(bigEndian: machine.bigEndian, wide: machine.wide) }

    /// How many blocks come between the first one and the bitmaps.
    var subHeaderBlocks: Int { (128 + (info?.count ?? 0) + notes.count + Self.block - 1) / Self.block }

    private var header: [UInt8] {
        var header = writer
        header.raw(signature.utf8)
        header.uint32(version)
        let name: [[UInt8]] = [
            Array("Linux".utf8), Array("secret-host".utf8), release, Array("#1 SMP Debian 6.1.192-2 (2026-11-16)".utf8),
            Array(machineName.utf8), Array("secret-domain".utf8),
        ]
        for text in name {
            let end = header.bytes.count + 65
            header.raw(text.prefix(65))
            header.pad(to: end)
        }
        header.align(machine.wide ? 8 : 4)
        header.word(1_795_452_034)
        header.word(0)
        header.uint32(status)
        header.uint32(UInt32(Self.block))
        header.uint32(UInt32(subHeaderBlocks))
        header.uint32(statedBitmapBlocks ?? UInt32(bitmapBlocks))
        header.uint32(pageCount)
        for _ in 0..<4 { header.uint32(0) }
        header.uint32(1)
        return header.bytes
    }

    private func subHeader(infoOffset: Int, notesOffset: Int) -> [UInt8] {
        var header = writer
        let offset = { (value: UInt64) in
            if !isPacked { header.align(8) }
            header.number(value, size: 8)
        }
        header.word(0)
        header.uint32(level)
        header.uint32(split)
        header.word(0)
        header.word(0)
        offset(UInt64(infoOffset))
        header.word(statedInfoSize ?? UInt64(info?.count ?? 0))
        offset(UInt64(notes.isEmpty ? 0 : notesOffset))
        header.word(UInt64(notes.count))
        offset(0)
        header.word(0)
        offset(0)
        offset(0)
        offset(wholePageCount ?? UInt64(pageCount))
        return header.bytes
    }
}

/// A dump as `makedumpfile -F` writes it: blocks of another dump in any order.
struct FlattenedSample {
    /// Where each block belongs, and what it holds.
    var blocks: [(offset: Int64, content: [UInt8])] = []
    var statedSizes: [Int: Int64] = [:]
    var hasEndMark = true

    init(_ blocks: [(offset: Int64, content: [UInt8])] = []) { self.blocks = blocks }

    /// Cuts a dump into blocks; every second one comes before its neighbour.
    init(_ dump: [UInt8], blockBytes: Int = 3000) {
        blocks = stride(from: 0, to: dump.count, by: blockBytes).map {
            (Int64($0), Array(dump[$0..<min(dump.count, $0 + blockBytes)]))
        }
        for index in stride(from: 1, to: blocks.count - 1, by: 2) { blocks.swapAt(index, index + 1) }
    }

    func bytes() -> [UInt8] {
        var file = BinaryWriter(bigEndian: true)
        file.raw("makedumpfile".utf8)
        file.pad(to: 16)
        file.number(1, size: 8)
        file.number(1, size: 8)
        file.pad(to: 4096)
        for (index, block) in blocks.enumerated() {
            file.number(UInt64(bitPattern: block.offset), size: 8)
            file.number(UInt64(bitPattern: statedSizes[index] ?? Int64(block.content.count)), size: 8)
            file.raw(block.content)
        }
        if hasEndMark { file.raw([UInt8](repeating: 0xff, count: 16)) }
        return file.bytes
    }
}

/// A suspended machine of VMware.
struct VmwareSample {
    var magic: UInt32 = 0xbed2_bed2
    var memory: [UInt8]?
    var statedMemorySize: UInt64?
    var statedGroupCount: UInt32?
    var groupPosition: UInt64?
    var isCompressed = false

    func bytes() -> [UInt8] {
        var file = BinaryWriter()
        file.uint32(magic)
        file.uint32(8)
        file.uint32(statedGroupCount ?? 2)
        for (name, position) in [("cpu", 0), ("memory", groupPosition ?? 12 + 160)] as [(String, UInt64)] {
            let start = file.bytes.count
            file.raw(name.utf8)
            file.pad(to: start + 64)
            file.number(position, size: 8)
            file.number(0, size: 8)
        }
        file.raw([4, 12])
        file.raw("regionsCount".utf8)
        file.uint32(0)
        if let memory {
            // One index and a block with padding.
            file.raw([UInt8(isCompressed ? 0x3e : 0x3f) | 0x80, 6])
            file.raw("Memory".utf8)
            file.uint32(0)
            file.uint32(0)
            file.number(statedMemorySize ?? UInt64(memory.count), size: 8)
            file.number(statedMemorySize ?? UInt64(memory.count), size: 8)
            file.uint16(5)
            file.raw([UInt8](repeating: 0xee, count: 5))
            file.raw(memory)
        }
        file.uint16(0)
        return file.bytes
    }
}

/// Reads a kernel's dump that a test made.
func vmcore(_ bytes: [UInt8]) throws(CoredumpError) -> Vmcore { try readVmcore(MemoryByteSource(bytes)) }
