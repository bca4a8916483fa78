import ELF

/// The kernel's list of loaded modules: each has a ring of pointers to the next and the previous one.
///
/// Source: `struct module` of linux/module.h on 64-bit machines, whose first members have not moved since Linux 2.6:
/// state at 0, list at 8, name at 24.
struct ModuleList {
    private(set) var names: [String] = []

    private static let listOffset: UInt64 = 8
    private static let nameOffset = 24
    /// `MODULE_NAME_LEN`.
    private static let nameBytes = 56
    /// Kernels of distributions load some hundred.
    private static let maximumCount = 10_000
    /// `MODULE_STATE_UNFORMED`: not yet checked, so not one that runs.
    private static let unformed: UInt32 = 3

    /// - Parameter head: The address of `modules`.
    /// - Throws: ``MemoryTrouble`` when the list is not all there or contradicts itself.
    init(_ memory: KernelMemory, head: UInt64) throws {
        var previous = head
        var node = try memory.pointer(at: head)
        while node != head {
            guard names.count < Self.maximumCount else {
                throw MemoryTrouble("The kernel's list of modules has more than \(Self.maximumCount) entries.")
            }
            // The upper half of the address space is the kernel's, and its compiler aligns pointers.
            guard node >= 0xff00_0000_0000_0000, node % 8 == 0 else { throw Self.mismatch }
            let module = node &- Self.listOffset
            let fields = FieldDecoder(
                try memory.read(at: module, count: Self.nameOffset), order: .littleEndian, elfClass: .bits64)
            // Every entry names the one before, so memory that is no list ends the walk at once, and so does a loop.
            guard let state = fields.uint32(at: 0), state <= Self.unformed, let next = fields.uint64(at: 8),
                fields.uint64(at: 16) == previous,
                let name = Self.name(
                    try memory.text(at: module &+ UInt64(Self.nameOffset), limit: Self.nameBytes))
            else { throw Self.mismatch }
            if state != Self.unformed { names.append(name) }
            previous = node
            node = next
        }
        guard try memory.pointer(at: head &+ 8) == previous else {
            throw MemoryTrouble("The kernel's list of modules contradicts itself.")
        }
    }

    private static let mismatch = MemoryTrouble(
        "What vmlinux calls the list of modules is none in the dump's memory: the two are not of one kernel.")

    private static func name(_ name: [UInt8]) -> String? {
        let isPlain = name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return isPlain && !name.isEmpty && name.first != UInt8(ascii: ".") ? String(decoding: name, as: UTF8.self) : nil
    }
}
