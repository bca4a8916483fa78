import Glibc

/// What the log of a kernel that stopped says of the end. All of it is text of the upload.
struct KernelLogFacts: Hashable, Sendable {
    /// The line that says why: `Kernel panic - not syncing: …`, or else the first of an oops; at most 200 characters.
    let panic: String?

    /// Reads the log where it lies: it may be millions of lines.
    ///
    /// - Parameter log: As dmesg(1) prints it, with the time of each line in brackets.
    init(_ log: [UInt8]) {
        panic = log.withUnsafeBytes { bytes -> String? in
            var oops: String?
            var start = 0
            while start < bytes.count {
                let end = Self.endOfLine(from: start, in: bytes)
                defer { start = end + 1 }
                // Most lines of a hostile log are too short for any of the words.
                guard end - start >= Self.shortest else { continue }
                let message = Self.message(of: bytes[start..<end])
                if message.starts(with: Self.panicWords) { return Self.text(message) }
                if oops == nil, Self.oopsWords.contains(where: { message.starts(with: $0) }) {
                    oops = Self.text(message)
                }
            }
            return oops
        }
    }

    /// The words with which kernels begin, in kernel/panic.c and the traps of the architectures.
    private static let panicWords = Array("Kernel panic".utf8)
    private static let oopsWords = [
        "BUG: ", "Oops: ", "general protection fault", "divide error", "invalid opcode", "kernel BUG at",
        "Unable to handle kernel", "Internal error: ", "watchdog: BUG",
    ].map { Array($0.utf8) }
    private static let shortest = ([panicWords] + oopsWords).map(\.count).min() ?? 0

    private static func endOfLine(from start: Int, in bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress,
            let newline = memchr(base + start, CInt(UInt8(ascii: "\n")), bytes.count - start)
        else { return bytes.count }
        return base.distance(to: UnsafeRawPointer(newline))
    }

    /// What stands behind `[   12.345678] `.
    private static func message(of line: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        guard line.first == UInt8(ascii: "["), let end = line.prefix(40).firstIndex(of: UInt8(ascii: "]")) else {
            return line
        }
        return line[(end + 1)...].drop { $0 == UInt8(ascii: " ") }
    }

    private static func text(_ message: Slice<UnsafeRawBufferPointer>) -> String {
        let text = String(decoding: message.prefix(400), as: UTF8.self)
        return String(
            text.unicodeScalars.prefix(200).map { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: "?"
                default: Character(scalar)
                }
            })
    }
}
