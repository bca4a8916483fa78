import Coredumps
import CrashModel
import ELF
import TestFixtures

/// The memory of an x86_64 kernel with page tables and loaded modules, and the vmlinux that fits it; a test changes what
/// it is about.
struct KernelSample {
    var modules = ["virtio_ring", "dummy", "virtio", "virtio_pci", "virtio_blk"]
    var states: [String: UInt32] = [:]
    var hasFiveLevels = false
    var encryptionBit: UInt64 = 0
    /// Whether the modules lie in a page of 2 MiB.
    var hasLargePages = false
    var vmcoreinfo: [String]?
    /// Changes memory when all is in it: by the address of a module or of the list.
    var poke: (inout KernelSample.Memory) -> Void = { _ in }

    static let textBase: UInt64 = 0xffff_ffff_8000_0000
    static let kaslr: UInt64 = 0x1da0_0000
    static let physicalBase: UInt64 = 0x60_0000
    /// Where `modules` and the page tables are in the kernel's text mapping, in bytes from its start.
    static let listOffset: UInt64 = 0x2160
    static let tableOffset: UInt64 = 0x4000
    static let moduleBase: UInt64 = 0xffff_ffff_c04a_0000

    /// Physical memory in pages, and what lies where.
    struct Memory {
        var pages: [UInt64: [UInt8]] = [:]
        var list: UInt64 = 0
        var modules: [UInt64] = []

        mutating func write(_ value: UInt64, at address: UInt64, size: Int = 8) {
            for index in 0..<size {
                write([UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))], at: address + UInt64(index))
            }
        }

        mutating func write(_ bytes: [UInt8], at address: UInt64) {
            for (index, byte) in bytes.enumerated() {
                let place = address + UInt64(index)
                pages[place >> 12, default: [UInt8](repeating: 0, count: 4096)][Int(place & 0xfff)] = byte
            }
        }
    }

    func memory() -> Memory {
        var memory = Memory()
        let text = Self.physicalBase
        var nextTable: UInt64 = 0x10_0000
        func map(_ address: UInt64, to place: UInt64, large: Bool) {
            var table = text + Self.tableOffset
            for shift in (hasFiveLevels ? [48] : []) + [39, 30, 21, 12] as [UInt64] {
                let entry = table + (address >> shift & 0x1ff) * 8
                if shift == 12 || (shift == 21 && large) {
                    let start = shift == 12 ? place & ~0xfff : place & ~0x1f_ffff
                    memory.write(start | encryptionBit | 1 | (shift == 21 ? 0x80 : 0), at: entry)
                    return
                }
                let known = memory.pages[entry >> 12].map { page in
                    (0..<8).reduce(UInt64(0)) { $0 | UInt64(page[Int(entry & 0xfff) + $1]) << (8 * UInt64($1)) }
                }
                if let known, known & 1 != 0 {
                    table = known & 0x000f_ffff_ffff_f000 & ~encryptionBit
                } else {
                    memory.write(nextTable | encryptionBit | 1, at: entry)
                    table = nextTable
                    nextTable += 0x1000
                }
            }
        }
        let listAddress = Self.textBase + Self.kaslr + Self.listOffset
        memory.list = text + Self.listOffset
        map(listAddress, to: memory.list, large: false)
        // Each in two pages, the name across their border.
        let addresses = modules.indices.map { Self.moduleBase + UInt64($0) * 0x2000 + 0xfe0 }
        for (index, name) in modules.enumerated() {
            let address = addresses[index]
            let place = hasLargePages ? 0x80_0000 + (address & 0x1f_ffff) : 0x40_0000 + UInt64(index) * 0x5000 + 0xfe0
            memory.modules.append(place)
            if !hasLargePages {
                map(address, to: place, large: false)
                map(address + 0x1000, to: place + 0x1000, large: false)
            } else {
                map(address, to: place, large: true)
            }
            memory.write(UInt64(states[name] ?? 0), at: place, size: 4)
            memory.write(index + 1 < modules.count ? addresses[index + 1] + 8 : listAddress, at: place + 8)
            memory.write(index > 0 ? addresses[index - 1] + 8 : listAddress, at: place + 16)
            memory.write(Array(name.utf8) + [0], at: place + 24)
        }
        memory.write(addresses.first.map { $0 + 8 } ?? listAddress, at: memory.list)
        memory.write(addresses.last.map { $0 + 8 } ?? listAddress, at: memory.list + 8)
        poke(&memory)
        return memory
    }

    var infoText: String {
        let table = Self.textBase + Self.kaslr + Self.tableOffset
        let lines = [
            "OSRELEASE=6.1.0-56-cloud-amd64", "PAGESIZE=4096", "KERNELOFFSET=\(String(Self.kaslr, radix: 16))",
            "SYMBOL(init_top_pgt)=\(String(table, radix: 16))",
            "NUMBER(phys_base)=\(Int64(Self.physicalBase) - Int64(Self.kaslr))",
            "NUMBER(pgtable_l5_enabled)=\(hasFiveLevels ? 1 : 0)", "NUMBER(sme_mask)=\(encryptionBit)",
        ]
        return (vmcoreinfo ?? lines).joined(separator: "\n") + "\n"
    }

    /// A compressed dump of it; `pack` compresses a page.
    func kdump(flags: UInt32 = 0, _ pack: ([UInt8]) -> [UInt8] = { $0 }) -> [UInt8] {
        var sample = KdumpSample()
        sample.info = Array(infoText.utf8)
        sample.pageCount = 1 << 17
        sample.bitmapBlocks = 8
        sample.pages = memory().pages.sorted { $0.key < $1.key }.map { (Int($0.key), pack($0.value), flags) }
        return sample.bytes()
    }

    /// An ELF dump of it, with the kernel's text at its own addresses or not.
    func elf(withText: Bool = false) -> [UInt8] {
        var kernel = ELFBuilder()
        kernel.notes = [.init("VMCOREINFO", 0, Array(infoText.utf8))]
        kernel.segments = memory().pages.sorted { $0.key > $1.key }.map { frame, page in
            .init(at: 0xffff_8880_0000_0000 + frame << 12, content: page, physicalAddress: frame << 12)
        }
        if withText {
            kernel.segments.insert(
                .init(
                    at: Self.textBase + Self.kaslr, content: [UInt8](repeating: 0, count: 2048),
                    physicalAddress: Self.physicalBase), at: 3)
        }
        return kernel.build()
    }

    /// A symbol: its name, address, and whether it is for all.
    typealias Symbol = (name: String, address: UInt64, isGlobal: Bool)

    static let symbols: [Symbol] = [
        ("nr_modules", 0x1000, true), ("modules", 0x2000, false), ("modules", textBase + listOffset, true),
        ("modules_wq", 0x3000, true), ("modules", 0x5000, false),
    ]

    /// The kernel's file, with its symbols as a linker writes them: names share their ends.
    static func vmlinux(_ symbols: [Symbol] = symbols, machine: UInt16 = 62) -> [UInt8] {
        var file = ELFBuilder(machine: machine, type: 2)
        var names: [UInt8] = [0]
        var table = [UInt8](repeating: 0, count: 24)
        for symbol in symbols {
            let place =
                symbol.name == "modules" ? 1 + "nr_".utf8.count : names.count
            if symbol.name != "modules" { names += Array(symbol.name.utf8) + [0] }
            var entry = BinaryWriter()
            entry.uint32(UInt32(place))
            entry.raw([(symbol.isGlobal ? 1 : 0) << 4 | 1, 0])
            entry.uint16(5)
            entry.number(symbol.address, size: 8)
            entry.number(16, size: 8)
            table += entry.bytes
        }
        file.sections = [.init(".symtab", type: 2, table), .init(".strtab", type: 3, names)]
        return file.build()
    }
}
