import CrashModel

/// The stack of one task, as `bt -s -l -x` prints it.
///
/// ```
/// PID: 101      TASK: ffff8c1493f44800  CPU: 1    COMMAND: "dd"
///  #7 [ffffcfdc803eb990] asm_exc_divide_error+0x16 at ffffffffa90009a6
///     include/asm/idtentry.h: 586
///     [exception RIP: bictcp_cong_avoid+386]
///     RIP: ffffffffc05f0252  RSP: …
///     net/ipv4/tcp_bic.c: 126
///  #8 [ffffcfdc803eba48] tcp_ack+0xdba at ffffffffa8c6937a [module]
/// ```
struct KernelStack: Hashable, Sendable {
    let pid: Int?
    /// The address of its `task_struct`, in hexadecimal; nil where it is from the log alone.
    let task: String?
    let cpu: Int?
    let command: String
    var frames: [KernelFrame] = []

    struct KernelFrame: Hashable, Sendable {
        var address: UInt64?
        var function: String?
        /// In bytes from the function's begin.
        var offset: UInt64?
        var file: String?
        var line: Int?
        /// As crash names it; nil for the kernel itself.
        var module: String?
    }

    /// The most frames that are read of all tasks together: those of a thousand processors.
    private static let maximumFrameCount = 32_768

    /// Reads what `bt` or `bt -a` printed, at most so many tasks and frames of each.
    static func stacks(in text: String, limits: RetraceLimits) -> [KernelStack] {
        var stacks: [KernelStack] = []
        // Where an exception interrupted the kernel stands without a number, and again as the next stack's first frame.
        var interrupted: UInt64?
        var left = maximumFrameCount
        // No line of crash's is so long; names are cut anyway.
        for line in TextLines(text) where line.utf8.count <= 4096 {
            if line.hasPrefix("PID: "), let stack = KernelStack(header: line) {
                guard stacks.count < limits.threads else { break }
                stacks.append(stack)
                interrupted = nil
                continue
            }
            guard let last = stacks.indices.last else { continue }
            let words = line.split(separator: " ")
            if words.first?.hasPrefix("#") == true {
                guard let frame = KernelFrame(numbered: words), stacks[last].frames.count < limits.frames, left > 0
                else { continue }
                if let interrupted, interrupted == frame.address {
                    continue
                }
                interrupted = nil
                left -= 1
                stacks[last].frames.append(frame)
            } else if let frame = KernelFrame(exception: line) {
                guard stacks[last].frames.count < limits.frames, left > 0 else { continue }
                left -= 1
                stacks[last].frames.append(frame)
            } else if let frame = stacks[last].frames.indices.last {
                if stacks[last].frames[frame].address == nil, let address = programCounter(words) {
                    stacks[last].frames[frame].address = address
                    interrupted = address
                } else if line.hasPrefix("    "), stacks[last].frames[frame].file == nil, let place = place(line) {
                    stacks[last].frames[frame].file = place.file
                    stacks[last].frames[frame].line = place.line
                }
            }
        }
        for index in stacks.indices { stacks[index].frames.removeAll { $0.address == nil } }
        return stacks
    }

    init(_ trace: LogTrace) {
        (pid, task, cpu) = (trace.pid, nil, trace.cpu)
        command = trace.command ?? "?"
        frames = trace.frames
    }

    private init?(header: Substring) {
        func value(_ key: String) -> Substring? {
            header.firstRange(of: key).map { header[$0.upperBound...].drop { $0 == " " }.prefix { $0 != " " } }
        }
        guard let task = value("TASK: "), UInt64(task, radix: 16) != nil else { return nil }
        self.task = String(task)
        pid = value("PID: ").flatMap { Int($0) }
        cpu = value("CPU: ").flatMap { Int($0) }
        // The command is the task's own choice, quotes and all.
        let quoted = header.firstRange(of: "COMMAND: \"").map { header[$0.upperBound...] } ?? ""
        command = String(quoted.lastIndex(of: "\"").map { quoted[..<$0] } ?? quoted)
    }

    /// `RIP: ffffffffc05f0252  RSP: …` of x86; `pc : …`, `NIP: …` and the like elsewhere.
    private static func programCounter(_ words: [Substring]) -> UInt64? {
        let names: Set<String> = ["RIP:", "EIP:", "PC:", "NIP:", "PSW:"]
        guard let at = words.firstIndex(where: { names.contains(String($0)) }), at + 1 < words.count else { return nil }
        return UInt64(words[at + 1], radix: 16)
    }

    /// `    net/ipv4/tcp_bic.c: 126`.
    private static func place(_ line: Substring) -> (file: String, line: Int)? {
        guard let colon = line.lastIndex(of: ":"),
            let number = Int(line[line.index(after: colon)...].drop { $0 == " " }),
            number > 0
        else { return nil }
        let file = line[..<colon].drop { $0 == " " }
        // A line of registers ends with a number, too.
        guard !file.isEmpty, !file.contains(": ") else { return nil }
        return (String(file), number)
    }
}

extension KernelStack.KernelFrame {
    /// `#8 [ffffcfdc803eba48] tcp_ack+0xdba at ffffffffa8c6937a [module]`, also without the stack's address.
    fileprivate init?(numbered words: [Substring]) {
        guard let at = words.lastIndex(of: "at"), at > 1, at + 1 < words.count,
            let address = UInt64(words[at + 1], radix: 16)
        else { return nil }
        self.init()
        self.address = address
        (function, offset) = Self.symbol(words[at - 1])
        if at + 2 < words.count, words[at + 2].hasPrefix("["), words[at + 2].hasSuffix("]") {
            module = String(words[at + 2].dropFirst().dropLast())
        }
    }

    /// `    [exception RIP: bictcp_cong_avoid+386]`; its address comes with the registers.
    fileprivate init?(exception line: Substring) {
        guard let start = line.firstRange(of: "[exception "), let colon = line[start.upperBound...].firstIndex(of: ":")
        else { return nil }
        let text = line[line.index(after: colon)...].drop { $0 == " " }
        self.init()
        (function, offset) = Self.symbol(text.prefix { $0 != "]" && $0 != " " })
    }

    /// `tcp_ack+0xdba`, `bictcp_cong_avoid+386`, `unknown or invalid address`.
    private static func symbol(_ text: Substring) -> (String?, UInt64?) {
        guard let plus = text.lastIndex(of: "+") else {
            return (text.isEmpty || text == "unknown" ? nil : bounded(text, to: 200), nil)
        }
        let number = text[text.index(after: plus)...]
        let offset = number.hasPrefix("0x") ? UInt64(number.dropFirst(2), radix: 16) : UInt64(number)
        // No function has 4 GiB.
        return (bounded(text[..<plus], to: 200), offset.flatMap { $0 < 1 << 32 ? $0 : nil })
    }
}
