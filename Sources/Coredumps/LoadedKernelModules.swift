import CrashModel
package import ELF

/// The modules that a crashed kernel had loaded, as far as its dump tells.
package enum LoadedKernelModules: Hashable, Sendable {
    /// Their names, sorted, with underscores as in the kernel.
    case names([String])
    /// Why nobody could tell, a sentence.
    case unknown(String)
}

/// Reads the names of the loaded modules from the memory in a dump, by the kernel's own symbols.
///
/// It follows the kernel's page tables to the list `modules`; of x86_64 only. A list that contradicts itself, as with the
/// vmlinux of another kernel, is not believed. Reading blocks: call it on a thread that may wait.
///
/// - Parameter vmlinux: The kernel's file with its symbol table, best one whose build-id is the dump's.
/// - Throws: ``CoredumpError/unreadable(_:)`` when the system refuses to read one of the files.
package func loadedModules(
    of source: any ByteSource, vmlinux: any ByteSource
) throws(CoredumpError) -> LoadedKernelModules {
    do {
        switch try dumpKind(of: source) {
        case .vmcore(.elf): return .names(try names(source, .elf, vmlinux))
        case .vmcore(.kdump): return .names(try names(source, .kdump, vmlinux))
        case .vmcore(.flattened):
            return .unknown("The dump is flattened, so its memory can only be read when rearranged.")
        case .vmcore(.vmware): return .unknown("The memory of a VMware snapshot is read by the debugger only.")
        case .coredump: return .unknown("The file is not a kernel's dump.")
        case .unusable(let sentence): return .unknown(sentence)
        }
    } catch let trouble as MemoryTrouble {
        return .unknown(trouble.sentence)
    } catch let error as ELFError {
        if case .unreadable(let cause) = error { throw .unreadable(cause) }
        return .unknown("The dump is damaged: \(error).")
    } catch let error as CoredumpError {
        if case .unreadable = error { throw error }
        return .unknown(error.description)
    } catch {
        throw .unreadable("\(error)")
    }
}

/// Why something of the dump's memory could not be found, a sentence.
struct MemoryTrouble: Error {
    let sentence: String
    init(_ sentence: String) { self.sentence = sentence }
}

private func names(_ source: any ByteSource, _ format: VmcoreFormat, _ vmlinux: any ByteSource) throws -> [String] {
    let counted = CountedSource(source, limit: 512 << 20)
    var reader = VmcoreReader(counted, format, file: "", memory: nil)
    if format == .elf {
        try reader.readELF(reader.source, isWhole: false)
    } else {
        try reader.readKdump(reader.source, isWhole: false)
    }
    guard reader.architecture == .x86_64 else {
        let name = reader.architecture?.rawValue ?? "a machine without a name"
        throw MemoryTrouble("The page tables of \(name) are not read here, those of x86_64 are.")
    }
    guard let info = reader.info else {
        throw MemoryTrouble("The dump has no VMCOREINFO, which tells where the kernel's page tables are.")
    }
    let symbols = try KernelSymbols(
        CountedSource(vmlinux, limit: 512 << 20), names: ["modules", "init_top_pgt", "init_level4_pgt"])
    let physical: any PhysicalMemory
    if let kdump = reader.kdump {
        physical = try KdumpMemory(counted, kdump.header, kdump.sub)
    } else {
        physical = ELFMemory(counted, try ELFFile(counted))
    }
    let memory = try KernelMemory(physical, info, symbols, base: reader.kdump?.sub.physicalBase)
    guard let modules = symbols["modules"] else {
        throw MemoryTrouble("The symbol table of vmlinux has no list of modules.")
    }
    return try ModuleList(memory, head: modules &+ (info.kaslrOffset ?? 0)).names.sorted()
}
