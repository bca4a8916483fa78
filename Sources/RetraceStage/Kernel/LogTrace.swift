import CrashModel

/// The stack that a kernel printed into its own log when it stopped, for a dump that has no other: names without files.
///
/// ```
/// [    6.117] RIP: 0010:bictcp_cong_avoid+0x182/0x1b0 [tcp_bic]
/// [    6.118] Call Trace:
/// [    6.118]  tcp_ack+0xdba/0x14c0
/// [    6.118]  ? _raw_spin_rq_lock_irqsave+0x20/0x20
/// [260187.600]  [<ffffffff810a9301>] try_to_wake_up+0x111/0x280
/// ```
struct LogTrace: Hashable, Sendable {
    let frames: [KernelStack.KernelFrame]
    let cpu: Int?
    let pid: Int?
    let command: String?

    /// Reads the first trace from the line on that announces the end; nil when there is none.
    init?(_ log: String, limits: RetraceLimits) {
        guard let sign = Self.signs.compactMap({ log.firstPlace(of: $0) }).min() else { return nil }
        var frames: [KernelStack.KernelFrame] = []
        var (cpu, pid, command): (Int?, Int?, String?)
        var isTrace = false
        for line in TextLines(log.text(log.line(around: sign).upperBound..<log.utf8.count)) {
            // The kernel's own have at most 1 KiB (LOG_LINE_MAX), and what is looked for has more than a few letters.
            if line.utf8.count > 4096 || !isTrace && line.utf8.count < 6 { continue }
            let text = Self.withoutTime(line)
            if !isTrace, let at = text.firstRange(of: "CPU: "), let id = text.firstRange(of: " PID: ") {
                cpu = Int(text[at.upperBound...].prefix(while: \.isNumber))
                pid = Int(text[id.upperBound...].prefix(while: \.isNumber))
                command = text.firstRange(of: " Comm: ").map { range in
                    let rest = text[range.upperBound...]
                    let end = [" Kdump: ", " Not tainted", " Tainted: "].lazy
                        .compactMap { rest.firstRange(of: $0)?.lowerBound }.min()
                    return bounded(end.map { rest[..<$0] } ?? rest, to: 64)
                }
            } else if frames.isEmpty, !isTrace,
                ["RIP: 0010:", "pc : ", "NIP [", "IP: ["].contains(where: text.hasPrefix),
                let frame = Self.frame(text)
            {
                frames.append(frame)
            } else if text.hasPrefix("Call Trace:") || text.hasPrefix("Call trace:") {
                isTrace = true
            } else if isTrace {
                // What the unwinder was not sure of begins with a question mark; <TASK> and the like are no functions.
                if text.hasPrefix("? ") || text.contains("] ? ") || text.hasPrefix("<") { continue }
                guard let frame = Self.frame(text) else { break }
                guard frames.count < limits.frames else { break }
                frames.append(frame)
            }
        }
        guard !frames.isEmpty else { return nil }
        self.frames = frames
        (self.cpu, self.pid, self.command) = (cpu, pid, command)
    }

    private static let signs = [
        "Kernel panic - not syncing", "BUG: ", "kernel BUG at", "Oops", "Unable to handle kernel", "general protection",
        "divide error", "invalid opcode", "Internal error:",
    ]

    private static func withoutTime(_ line: Substring) -> Substring {
        guard line.hasPrefix("["), let end = line.firstIndex(of: "]"), !line.hasPrefix("[<") else { return line }
        return line[line.index(after: end)...].drop { $0 == " " || $0 == "\t" }
    }

    /// The word `name+0x12/0x34`, with the address before it and the module after it where they stand.
    private static func frame(_ text: Substring) -> KernelStack.KernelFrame? {
        let words = text.split(separator: " ")
        guard let at = words.firstIndex(where: { $0.contains("+0x") && $0.contains("/0x") }) else { return nil }
        let symbol = words[at].split(separator: ":").last ?? words[at]
        guard let plus = symbol.lastIndex(of: "+") else { return nil }
        let offset = symbol[plus...].dropFirst(3).prefix { $0 != "/" }
        var frame = KernelStack.KernelFrame()
        frame.function = bounded(symbol[..<plus], to: 200)
        frame.offset = UInt64(offset, radix: 16).flatMap { $0 < 1 << 32 ? $0 : nil }
        if let place = words[..<at].last(where: { $0.contains("[<") }) {
            frame.address = UInt64(place.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" }, radix: 16)
        }
        if at + 1 < words.count, words[at + 1].hasPrefix("["), words[at + 1].hasSuffix("]") {
            frame.module = String(words[at + 1].dropFirst().dropLast())
        }
        return frame
    }
}
