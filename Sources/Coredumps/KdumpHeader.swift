import CrashModel
import ELF

/// The first header of a compressed dump, whose layout is that of the machine that wrote it.
///
/// Source: `disk_dump_header` of makedumpfile's diskdump_mod.h and crash's diskdump.h.
struct KdumpHeader: Sendable {
    let isDiskdump: Bool
    /// 0 to 6 and later ones, which only append to the sub header.
    let version: UInt32
    let order: ByteOrder
    let elfClass: ELFClass
    let status: UInt32
    let blockBytes: UInt64
    /// The size of the sub header with all that follows up to the bitmaps, in blocks.
    let subHeaderBlocks: UInt64
    /// The size of both bitmaps together, in blocks.
    let bitmapBlocks: UInt64
    let pageCount: UInt64

    /// The longest that is read of it; tasks of processors follow.
    static let byteCount = 512
    /// Where `utsname` ends, the last part that is the same on all machines.
    static let nameEnd = 12 + 6 * 65

    /// nil when the bytes fit no machine's layout, or end before they could.
    init?(_ bytes: [UInt8], machine: Architecture?) {
        let layouts: [(order: ByteOrder, elfClass: ELFClass)] = [
            (.littleEndian, .bits64), (.littleEndian, .bits32), (.bigEndian, .bits64), (.bigEndian, .bits32),
        ]
        let own = machine.map(Self.layout)
        // The name of the machine decides first: some numbers of one layout make sense in another.
        for layout in [own].compactMap(\.self) + layouts {
            guard let header = KdumpHeader(bytes, order: layout.order, elfClass: layout.elfClass) else { continue }
            self = header
            return
        }
        return nil
    }

    private init?(_ bytes: [UInt8], order: ByteOrder, elfClass: ELFClass) {
        let fields = FieldDecoder(bytes, order: order, elfClass: elfClass)
        // struct timeval of two words, aligned, comes before.
        let base = elfClass == .bits64 ? 424 : 412
        guard let version = fields.uint32(at: 8), version < 256, let status = fields.uint32(at: base),
            let block = fields.uint32(at: base + 4), (1024...262_144).contains(block), block & (block - 1) == 0,
            let subHeader = fields.uint32(at: base + 8), subHeader < 1 << 20,
            let bitmap = fields.uint32(at: base + 12), let pages = fields.uint32(at: base + 16)
        else { return nil }
        self.isDiskdump = bytes.starts(with: "DISKDUMP".utf8)
        self.version = version
        self.order = order
        self.elfClass = elfClass
        self.status = status
        self.blockBytes = UInt64(block)
        self.subHeaderBlocks = UInt64(subHeader)
        self.bitmapBlocks = UInt64(bitmap)
        self.pageCount = UInt64(pages)
    }

    private static func layout(of machine: Architecture) -> (order: ByteOrder, elfClass: ELFClass) {
        switch machine {
        case .x86_64, .aarch64, .ppc64le: (.littleEndian, .bits64)
        case .i386, .armhfp: (.littleEndian, .bits32)
        case .ppc64, .s390x: (.bigEndian, .bits64)
        }
    }

    /// Whether the tool that wrote the dump marked it as unfinished.
    var isMarkedIncomplete: Bool { status & (isDiskdump ? 1 : 8) != 0 }
    /// Where the first bitmap begins, in bytes.
    var bitmapOffset: UInt64 { (1 + subHeaderBlocks) * blockBytes }
    /// Where the descriptors of the pages begin, in bytes.
    var descriptorOffset: UInt64 { bitmapOffset + bitmapBlocks * blockBytes }

    /// `utsname` of the crashed machine without what is private: its name and domain are left out.
    struct Name: Sendable {
        let system: String
        let release: String
        let version: String
        let machine: String

        /// - Parameter bytes: `struct new_utsname` of linux/utsname.h, six texts of 65 bytes; nil when there are fewer.
        init?(_ bytes: some Collection<UInt8>) {
            guard bytes.count >= 6 * 65 else { return nil }
            let all = Array(bytes)
            func text(_ index: Int) -> String {
                String(decoding: all[(index * 65)..<(index * 65 + 65)].prefix { $0 != 0 }, as: UTF8.self)
            }
            system = text(0)
            release = text(2)
            version = text(3)
            machine = text(4)
        }

        /// As `uname -srvm` prints it; nil when there is neither release nor version.
        var banner: String? {
            release.isEmpty && version.isEmpty
                ? nil : [system, release, version, machine].filter { !$0.isEmpty }.joined(separator: " ")
        }
    }
}
