/// A module of a crashed kernel, as `mod` lists it.
struct KernelModule: Hashable, Sendable {
    let name: String
    let base: UInt64
    /// In bytes.
    let size: UInt64
    /// Whether its debug file was loaded; otherwise crash knows the names of its functions at best.
    let hasSymbols: Bool

    /// Reads what `mod` printed, at most `limit` modules.
    static func modules(in text: String, limit: Int = 4096) -> [KernelModule] {
        text.split(separator: "\n").lazy.compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 4, UInt64(words[0], radix: 16) != nil, let base = UInt64(words[2], radix: 16),
                let size = UInt64(words[3]), size < 1 << 40
            else { return nil }
            return KernelModule(
                name: String(words[1].prefix(64)), base: base, size: size,
                hasSymbols: words.count > 4 && words[4].hasPrefix("/"))
        }.prefix(limit).map(\.self)
    }

    func contains(_ address: UInt64) -> Bool { address >= base && address - base < size }
}

/// Reads the lines `     PANIC: "…"` that `sys` prints.
func systemFacts(in text: String) -> [String: String] {
    var facts: [String: String] = [:]
    for line in text.split(separator: "\n") {
        guard let colon = line.firstRange(of: ": ") else { continue }
        let key = trimmed(String(line[..<colon.lowerBound]))
        if facts[key] == nil { facts[key] = trimmed(String(line[colon.upperBound...].prefix(1000))) }
    }
    return facts
}

/// Why the kernel stopped, from its log: the last line that announces an end, without its time.
func panicLine(inLog log: String) -> String? {
    let signs = [
        "Kernel panic - not syncing", "BUG: ", "kernel BUG at", "Oops", "Unable to handle kernel", "general protection",
        "divide error", "invalid opcode", "Internal error:", "sysrq: Trigger a crash", "SysRq : Trigger a crash",
        "watchdog: BUG", "NMI watchdog",
    ]
    var found: Substring?
    for line in log.split(separator: "\n") where signs.contains(where: line.contains) {
        found = line
        // What the kernel says of itself last is the reason; what comes before may have been survived.
        if line.contains(signs[0]) { break }
    }
    guard var text = found else { return nil }
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") { text = text[text.index(after: end)...] }
    return trimmed(String(text.prefix(1000)))
}

/// What made a kernel less trustworthy before it crashed.
struct KernelTaint: Hashable, Sendable {
    /// In the kernel's order.
    let letters: [Character]

    /// From `sys -t` (`TAINTED_MASK: 1200  WO`), else from the log's last `Tainted: G        W  O`; nil when neither says.
    init?(system: String, log: String) {
        if let mask = systemFacts(in: system)["TAINTED_MASK"], let first = mask.split(separator: " ").first,
            UInt64(first, radix: 16) != nil
        {
            letters = mask.split(separator: " ").dropFirst().joined().filter { Self.meanings[$0] != nil }.map(\.self)
            return
        }
        for line in log.split(separator: "\n").reversed() where line.contains("ainted") {
            if line.contains("Not tainted") {
                letters = []
                return
            }
            guard let start = line.firstRange(of: "Tainted: ") else { continue }
            let words = line[start.upperBound...].split(whereSeparator: { $0 == " " || $0 == "," })
            letters = words.prefix { $0.allSatisfy { $0.isASCII && $0.isUppercase } }.joined()
                .filter { Self.meanings[$0] != nil }.map(\.self)
            return
        }
        return nil
    }

    /// Documentation/admin-guide/tainted-kernels.rst of Linux; `G` stands for the absence of `P`.
    static let meanings: [Character: String] = [
        "P": "a proprietary module was loaded", "F": "a module was loaded by force",
        "S": "the kernel ran on a processor or system out of its specification", "R": "a module was unloaded by force",
        "M": "a processor reported a machine check", "B": "a page was in a bad state",
        "U": "a program asked for the mark", "D": "the kernel had died once already (oops or BUG)",
        "A": "an ACPI table was replaced", "W": "the kernel had warned", "C": "a staging driver was loaded",
        "I": "a bug of the firmware was worked around", "O": "a module from outside the kernel's source was loaded",
        "E": "an unsigned module was loaded", "L": "a processor had been stuck (soft lockup)",
        "K": "the kernel was patched while it ran", "X": "the distribution's own mark",
        "T": "the layout of structures was randomised", "N": "a test ran in the kernel",
        "J": "a device's firmware was changed through fwctl",
    ]
}
