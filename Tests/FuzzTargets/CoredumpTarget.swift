import Coredumps
import CrashModel
import ELF

/// The readers of dumps and ELF: bytes as a core, as a kernel's dump, as a file of a package, and as an image in memory.
package struct CoredumpTarget {
    package init() {}

    /// - Throws: ``FuzzViolation``.
    package func take(_ input: some Collection<UInt8>) throws {
        let source = MemoryByteSource(Array(input))
        do {
            let core = try readCoredump(source)
            guard core.bytesRead <= 512 << 20 else { throw FuzzViolation("\(core.bytesRead) bytes were read.") }
            guard core.modules.allSatisfy({ $0.start <= $0.end }) else { throw FuzzViolation("A module ends early.") }
        } catch is CoredumpError {
            // A typed refusal is an answer.
        }
        do {
            let fault = try readFault(source)
            guard fault.memory.allSatisfy({ $0.start <= $0.end }) else { throw FuzzViolation("A region ends early.") }
        } catch is CoredumpError {
            // As above.
        }
        do {
            let dump = try readVmcore(source)
            guard dump.bytesRead <= 256 << 20 else { throw FuzzViolation("\(dump.bytesRead) bytes were read.") }
            guard dump.remarks.allSatisfy({ $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } }) else {
                throw FuzzViolation("A remark holds a control character.")
            }
        } catch is CoredumpError {
            // As above.
        }
        for layout in [ELFFile.Layout.file, .image] { read(source, layout) }
    }

    private func read(_ source: MemoryByteSource, _ layout: ELFFile.Layout) {
        guard let file = try? ELFFile(source, layout: layout) else { return }
        _ = try? file.identity()
        _ = try? file.sections()
        _ = try? file.dynamicValues()
        _ = try? file.soname()
        _ = try? file.debugLink()
        _ = try? file.debugAltLink()
        _ = file.imageSize
    }
}
