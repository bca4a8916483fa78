package import CrashModel
package import ELF

/// What a file that was sent as a dump is.
package enum DumpIdentification: Hashable, Sendable {
    case coredump
    case vmcore(VmcoreFormat)
    /// Neither; one sentence that says what it is and what to do.
    case unusable(String)

    /// nil when it is neither kind.
    package var kind: DumpKind? {
        switch self {
        case .coredump: .coredump
        case .vmcore: .vmcore
        case .unusable: nil
        }
    }

    /// The format of a kernel's dump.
    ///
    /// - Throws: ``CoredumpError/notACoredump(_:)`` for everything else, with the sentence that says what it is.
    package func kernelFormat() throws(CoredumpError) -> VmcoreFormat {
        switch self {
        case .vmcore(let format): return format
        case .unusable(let sentence): throw .notACoredump(sentence)
        case .coredump:
            throw .notACoredump(
                "The file is the core of a process, not a kernel's dump, or it is cut off before it tells; "
                    + "send it as a coredump, or make the dump anew.")
        }
    }
}

/// Tells a user's core from a kernel's, and both from everything else, by the first pages of the file.
///
/// - Throws: ``CoredumpError/unreadable(_:)`` only.
package func dumpKind(of source: some ByteSource) throws(CoredumpError) -> DumpIdentification {
    do {
        let start = try source.read(at: 0, count: 512)
        if let known = identifyByMagic(start, byteCount: source.byteCount) { return known }
        do {
            return try identifyELF(ELFFile(CountedSource(source, limit: 64 << 20)))
        } catch .truncated(let part) {
            return .unusable("The file ends inside \(part): the dump was cut off; send it again from the machine.")
        } catch .malformed(let sentence) {
            return .unusable("The file is damaged: \(sentence). Send the dump again from the machine.")
        }
    } catch {
        throw .unreadable("\(error)")
    }
}

private func identifyByMagic(_ start: [UInt8], byteCount: UInt64) -> DumpIdentification? {
    guard !start.isEmpty else {
        return .unusable("The file is empty: the machine wrote no dump, often because its disk was full.")
    }
    if ELFHeader.hasMagic(start) { return nil }
    if start.starts(with: "KDUMP   ".utf8) || start.starts(with: "DISKDUMP".utf8) { return .vmcore(.kdump) }
    if start.starts(with: "makedumpfile".utf8) { return .vmcore(.flattened) }
    if VmwareSnapshot.hasMagic(start) { return .vmcore(.vmware) }
    if start.starts(with: "MDMP".utf8) {
        return .unusable("The file is a minidump (of Breakpad or Windows), not an ELF core; send the core itself.")
    }
    let compressions: [(name: String, magic: [UInt8])] = [
        ("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), ("gzip", [0x1f, 0x8b]), ("zstd", [0x28, 0xb5, 0x2f, 0xfd]),
        ("bzip2", Array("BZh".utf8)), ("lz4", [0x04, 0x22, 0x4d, 0x18]),
    ]
    if let compression = compressions.first(where: { start.starts(with: $0.magic) }) {
        return .unusable("The file is compressed with \(compression.name); unpack it and send the dump itself.")
    }
    if start.allSatisfy({ $0 == 0 }) {
        return .unusable("The file begins with zeros only: the dump was never written to disk in full.")
    }
    if start.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || (0x09...0x0d).contains($0) || $0 == 0x1b }) {
        return .unusable("The file is text, not a dump; send the core that the kernel wrote.")
    }
    return .unusable("The file is neither an ELF core nor a kernel's vmcore; send the core that the kernel wrote.")
}

private func identifyELF(_ file: ELFFile) throws(ELFError) -> DumpIdentification {
    switch file.header.type {
    case .core: break
    case .executable, .shared:
        return .unusable("The file is an ELF program or library, not a core; send the core that it left.")
    case .relocatable:
        return .unusable("The file is an ELF object file, not a core; send the core that the kernel wrote.")
    case .other(let type):
        return .unusable("The file is ELF of type \(type), not a core; send the core that the kernel wrote.")
    }
    var isUser = false
    var isKernel = false
    _ = try file.forEachNote { (note) throws(ELFError) in
        switch (note.name, note.type) {
        case ("VMCOREINFO", _), ("QEMU", _), ("VMCOREINFO_XEN", _), ("Xen", _): isKernel = true
        // NT_PRPSINFO, NT_AUXV and NT_FILE are of processes only.
        case ("CORE", 3), ("CORE", 6), ("CORE", 0x4649_4c45): isUser = true
        default: break
        }
        return !isUser && !isKernel
    }
    if isKernel { return .vmcore(.elf) }
    if isUser { return .coredump }
    // A process has no physical addresses; a kernel's image has.
    return file.segments.contains { $0.kind == .load && $0.physicalAddress != 0 } ? .vmcore(.elf) : .coredump
}
