import ELF
import SystemPackage
import TestFixtures

/// A suspended machine of VMware that died as a made dump's did: its memory as it lies there, and a snapshot with the
/// registers of its processor, by whose page table and table of interrupts crash finds where the kernel lies.
struct MadeVmwareMachine {
    /// - Parameters:
    ///   - dump: An ELF dump of one processor with all of its memory.
    ///   - snapshot: Where its state goes (`.vmss`).
    ///   - memory: Where its memory goes (`.vmem`).
    static func make(of dump: FilePath, snapshot: FilePath, memory: FilePath) throws {
        let file = try ELFFile(FileByteSource(dump))
        var notes: [String: FieldDecoder] = [:]
        _ = try file.forEachNote { (note) throws(ELFError) in
            notes[note.name] = try file.content(of: note, limit: 64 << 10)
            return true
        }
        guard let status = notes["CORE"], let info = notes["VMCOREINFO"] else {
            throw Errno.badMessage
        }
        try put(try state(Registers(status: status, info: info)), at: snapshot)
        try write(file, dump, to: memory)
    }

    private struct Registers {
        /// Of struct pt_regs (x86-64), in its order.
        static let names = [
            "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
            "orig_rax", "rip", "cs", "eflags", "rsp",
        ]
        let general: [(name: String, value: UInt64)]
        /// The physical address of the kernel's page table.
        let cr3: UInt64
        /// Where Linux on x86-64 has its table of interrupts since 4.15 (CPU_ENTRY_AREA_RO_IDT).
        let idtr: UInt64 = 0xffff_fe00_0000_0000

        init(status: FieldDecoder, info: FieldDecoder) throws {
            // Behind 112 bytes of struct elf_prstatus.
            general = Self.names.enumerated().compactMap { index, name in
                status.uint64(at: 112 + 8 * index).map { (name, $0) }
            }
            let lines = String(decoding: info.bytes, as: UTF8.self).split(separator: "\n")
            func value(_ key: String) -> Substring? {
                lines.first { $0.hasPrefix(key + "=") }?.dropFirst(key.count + 1)
            }
            guard general.count == Self.names.count,
                let table = value("SYMBOL(swapper_pg_dir)").flatMap({ UInt64($0, radix: 16) }),
                let base = value("NUMBER(phys_base)").flatMap({ Int64($0) })
            else { throw Errno.badMessage }
            // Behind __START_KERNEL_map.
            cr3 = table &- 0xffff_ffff_8000_0000 &+ UInt64(bitPattern: base)
        }
    }

    private static func state(_ registers: Registers) -> [UInt8] {
        var cpu = BinaryWriter()
        add("cpu:numVCPUs", 1, size: 4, to: &cpu)
        for (name, value) in registers.general where !["orig_rax", "cs"].contains(name) {
            add(name, value, size: name == "eflags" ? 4 : 8, at: [0], to: &cpu)
        }
        for (index, value) in [0x8005_0033, 0, 0, registers.cr3, 0x6f0].enumerated() {
            add("CR64", value, size: 8, at: [0, UInt32(index)], to: &cpu)
        }
        add("IDTR", registers.idtr & 0xffff_ffff, size: 4, at: [0, 1], to: &cpu)
        add("IDTR", registers.idtr >> 32, size: 4, at: [0, 2], to: &cpu)
        cpu.uint16(0)
        var memory = BinaryWriter()
        // No holes: a place in the memory's file is the physical address.
        add("regionsCount", 0, size: 4, to: &memory)
        memory.uint16(0)

        var file = BinaryWriter()
        for number in [0xbed2_bed2, 8, 2] as [UInt32] { file.uint32(number) }
        var position = 12 + 2 * 80
        for (name, group) in [("cpu", cpu.bytes), ("memory", memory.bytes)] {
            let start = file.bytes.count
            file.raw(name.utf8)
            file.pad(to: start + 64)
            file.number(UInt64(position), size: 8)
            file.number(UInt64(group.count), size: 8)
            position += group.count
        }
        file.raw(cpu.bytes)
        file.raw(memory.bytes)
        // crash 8 reads 80 times as much as the table is, and gives up where the file is shorter.
        file.pad(to: 12 + 2 * 80 * 80)
        return file.bytes
    }

    private static func add(
        _ name: String, _ value: UInt64, size: Int, at indices: [UInt32] = [], to group: inout BinaryWriter
    ) {
        group.uint16(UInt16(name.utf8.count << 8 | indices.count << 6 | size))
        group.raw(name.utf8)
        for index in indices { group.uint32(index) }
        group.number(value, size: size)
    }

    /// Pages of zeros become holes.
    private static func write(_ file: ELFFile, _ dump: FilePath, to memory: FilePath) throws {
        let source = try FileByteSource(dump)
        try put("", at: memory)
        let output = try FileDescriptor.open(memory, .writeOnly)
        try output.closeAfter {
            for segment in file.segments where segment.kind == .load {
                for offset in stride(from: 0, to: segment.fileSize, by: 1 << 16) {
                    let bytes = try source.read(
                        at: segment.offset + offset, count: Int(min(1 << 16, segment.fileSize - offset)))
                    let isLast = offset + (1 << 16) >= segment.fileSize
                    guard isLast || bytes.contains(where: { $0 != 0 }) else { continue }
                    _ = try output.writeAll(
                        toAbsoluteOffset: Int64(segment.physicalAddress + offset), bytes)
                }
            }
        }
    }
}
