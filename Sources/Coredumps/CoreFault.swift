package import CrashModel
package import ELF

/// How the kernel describes the end of the process, and what was mapped then: what a rating of exploitability starts from.
package struct CoreFault: Hashable, Sendable {
    /// The signal that ended the process; nil when the core names none.
    package let signal: CrashSignal?
    /// `si_code` of sigaction(2); nil when the core has no siginfo_t of the signal.
    package let signalCode: Int?
    /// `si_addr` of SIGSEGV, SIGBUS, SIGILL and SIGFPE.
    package let address: UInt64?
    /// Everything that the core says was mapped, by start; ranges of a hostile core may overlap.
    package let memory: [MemoryRegion]

    package init(signal: CrashSignal?, signalCode: Int?, address: UInt64?, memory: [MemoryRegion]) {
        self.signal = signal
        self.signalCode = signalCode
        self.address = address
        self.memory = memory
    }
}

/// A range of addresses that was mapped in the crashed process.
package struct MemoryRegion: Hashable, Sendable {
    package let start: UInt64
    /// One past the last address.
    package let end: UInt64
    /// nil where the core names only the file: gcore leaves out the program headers of what it does not save.
    package let protection: Protection?

    /// What the process might do with the bytes, mprotect(2).
    package struct Protection: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The bits are those of `p_flags`, elf(5).
        package static let execute = Self(rawValue: 1)
        package static let write = Self(rawValue: 2)
        package static let read = Self(rawValue: 4)
    }

    package init(start: UInt64, end: UInt64, protection: Protection?) {
        self.start = start
        self.end = end
        self.protection = protection
    }

    package func contains(_ address: UInt64) -> Bool { start <= address && address < end }
}

/// Reads from a core what ended the process and what was mapped, and nothing of the memory itself.
///
/// Reading blocks: call it on a thread that may wait.
///
/// - Throws: ``CoredumpError`` as ``readCoredump(_:)`` does.
package func readFault(_ source: some ByteSource) throws(CoredumpError) -> CoreFault {
    try reading(source) { reader in
        guard reader.file.header.type == .core else { throw CoredumpError.notACoredump("The file is no core.") }
        let notes = try CoreNotes(reader.file, remarks: &reader.remarks)
        let mapped = reader.memory.segments.map {
            MemoryRegion(
                start: $0.virtualAddress, end: $0.memoryEnd,
                protection: MemoryRegion.Protection(rawValue: $0.flags & 7))
        }
        let starts = Set(mapped.map(\.start))
        let named = (notes.files ?? []).filter { !starts.contains($0.start) }
            .map { MemoryRegion(start: $0.start, end: $0.end, protection: nil) }
        return CoreFault(
            signal: notes.signal, signalCode: notes.signalCode, address: notes.faultAddress,
            memory: (mapped + named).sorted { $0.start < $1.start })
    }
}
