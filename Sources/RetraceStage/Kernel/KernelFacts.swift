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
        var modules: [KernelModule] = []
        for line in TextLines(text) where modules.count < limit {
            let words = line.split(separator: " ", maxSplits: 5)
            guard words.count >= 4, UInt64(words[0], radix: 16) != nil, let base = UInt64(words[2], radix: 16),
                let size = UInt64(words[3]), size < 1 << 40
            else { continue }
            modules.append(
                KernelModule(
                    name: bounded(words[1], to: 64), base: base, size: size,
                    hasSymbols: words.count > 4 && words[4].hasPrefix("/")))
        }
        return modules
    }

    func contains(_ address: UInt64) -> Bool { address >= base && address - base < size }
}

/// Reads the lines `     PANIC: "…"` that `sys` prints, of which there are some twenty.
func systemFacts(in text: String) -> [String: String] {
    var facts: [String: String] = [:]
    for line in TextLines(text) {
        guard let colon = line.firstRange(of: ": ") else { continue }
        let key = trimmed(bounded(line[..<colon.lowerBound], to: 100))
        if facts[key] == nil { facts[key] = trimmed(bounded(line[colon.upperBound...], to: 1000)) }
        if facts.count >= 200 { break }
    }
    return facts
}

/// Why the kernel stopped, from its log: the last line that announces an end, without its time.
func panicLine(inLog log: String) -> String? {
    let signs = [
        "BUG: ", "kernel BUG at", "Oops", "Unable to handle kernel", "general protection",
        "divide error", "invalid opcode", "Internal error:", "sysrq: Trigger a crash", "SysRq : Trigger a crash",
        "watchdog: BUG", "NMI watchdog",
    ]
    // What the kernel says of itself last is the reason; what comes before may have been survived.
    let last = log.firstPlace(of: "Kernel panic - not syncing") ?? signs.compactMap { log.lastPlace(of: $0) }.max()
    guard let last else { return nil }
    var text = log.text(log.line(around: last))
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") { text = text[text.index(after: end)...] }
    return trimmed(bounded(text, to: 1000))
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
        let (clean, tainted) = (log.lastPlace(of: "Not tainted"), log.lastPlace(of: Self.sign))
        guard let last = [clean, tainted].compactMap(\.self).max() else { return nil }
        let line = log.line(around: last)
        if let clean, line.contains(clean) {
            letters = []
            return
        }
        let text = bounded(log.text(last + Self.sign.utf8.count..<line.upperBound), to: 200)
        let words = text.split(whereSeparator: { $0 == " " || $0 == "," })
        letters = words.prefix { $0.allSatisfy { $0.isASCII && $0.isUppercase } }.joined()
            .filter { Self.meanings[$0] != nil }.map(\.self)
    }

    private static let sign = "Tainted: "

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
