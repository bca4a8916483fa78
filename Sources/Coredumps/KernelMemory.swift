import ELF

/// The memory of a crashed x86_64 kernel by its own addresses, through the page tables in its dump.
///
/// Source: Intel's Software Developer's Manual, volume 3, chapter "Paging"; Documentation/arch/x86/x86_64/mm.rst.
struct KernelMemory {
    private let physical: any PhysicalMemory
    private let table: UInt64
    /// By how much the bits of an address are moved for the index into each level of tables.
    private let shifts: [UInt64]
    private let addressMask: UInt64

    /// Where the kernel's text is mapped when nothing moves it, `__START_KERNEL_map`.
    private static let textBase: UInt64 = 0xffff_ffff_8000_0000

    /// - Parameter base: `phys_base` as the dump's header has it, for kernels whose VMCOREINFO lacks it.
    /// - Throws: ``MemoryTrouble`` when nothing tells where the page tables are.
    init(_ physical: any PhysicalMemory, _ info: VmcoreInfo, _ symbols: KernelSymbols, base: UInt64?) throws {
        let moved = info.kaslrOffset ?? 0
        let known = info.symbol("init_top_pgt") ?? info.symbol("init_level4_pgt") ?? info.symbol("swapper_pg_dir")
        let linked = symbols["init_top_pgt"] ?? symbols["init_level4_pgt"]
        guard let table = known ?? linked.map({ $0 &+ moved }), table >= Self.textBase else {
            throw MemoryTrouble("Neither VMCOREINFO nor vmlinux tells where the kernel's page tables are.")
        }
        guard let base = info.number("phys_base") ?? base ?? physical.base(ofText: Self.textBase) else {
            throw MemoryTrouble("The dump does not tell where in memory the kernel was.")
        }
        self.physical = physical
        self.table = (table - Self.textBase) &+ base
        shifts = info.number("pgtable_l5_enabled") == 1 ? [48, 39, 30, 21, 12] : [39, 30, 21, 12]
        // Memory encryption (AMD SME) marks addresses with a bit of their own.
        addressMask = 0x000f_ffff_ffff_f000 & ~(info.number("sme_mask") ?? 0)
    }

    func pointer(at address: UInt64) throws -> UInt64 {
        let fields = FieldDecoder(try read(at: address, count: 8), order: .littleEndian, elfClass: .bits64)
        guard let value = fields.uint64(at: 0) else { throw Self.missing(address) }
        return value
    }

    /// - Throws: ``MemoryTrouble`` when not all bytes are in the dump.
    func read(at address: UInt64, count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let cursor = address &+ UInt64(bytes.count)
            let place = try translate(cursor)
            guard let page = try physical.page(place >> 12) else { throw Self.missing(cursor) }
            bytes += page[Int(place & 0xfff)...].prefix(count - bytes.count)
        }
        return bytes
    }

    /// The bytes before a zero, at most `limit`; no page behind the zero is needed, which may be left out of the dump.
    ///
    /// - Throws: As ``read(at:count:)``.
    func text(at address: UInt64, limit: Int) throws -> [UInt8] {
        let inPage = min(limit, 0x1000 - Int(address & 0xfff))
        let bytes = try read(at: address, count: inPage)
        if let end = bytes.firstIndex(of: 0) { return Array(bytes[..<end]) }
        guard inPage < limit else { return bytes }
        return bytes + (try read(at: address &+ UInt64(inPage), count: limit - inPage)).prefix { $0 != 0 }
    }

    private func translate(_ address: UInt64) throws -> UInt64 {
        var entry = table
        for (level, shift) in shifts.enumerated() {
            let place = (entry & addressMask) + ((address >> shift) & 0x1ff) * 8
            guard let page = try physical.page(place >> 12) else { throw Self.missing(address) }
            let fields = FieldDecoder(page, order: .littleEndian, elfClass: .bits64)
            guard let next = fields.uint64(at: Int(place & 0xfff)), next & 1 != 0 else { throw Self.missing(address) }
            entry = next
            // Large pages of 1 GiB and 2 MiB end the walk at their level.
            let isLarge = next & 0x80 != 0 && (shift == 30 || shift == 21)
            guard isLarge || level == shifts.count - 1 else { continue }
            let inside = (UInt64(1) << shift) - 1
            return (next & addressMask & ~inside) | (address & inside)
        }
        throw Self.missing(address)
    }

    private static func missing(_ address: UInt64) -> MemoryTrouble {
        MemoryTrouble("The dump lacks the memory at address \(String(address, radix: 16)), which leads to the modules.")
    }
}
