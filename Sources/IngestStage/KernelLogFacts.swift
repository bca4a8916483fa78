/// What the log of a kernel that stopped says of the end. All of it is text of the upload.
struct KernelLogFacts: Hashable, Sendable {
    /// The line that says why: `Kernel panic - not syncing: …`, or else the first of an oops; at most 200 characters.
    let panic: String?

    /// - Parameter log: As dmesg(1) prints it, with the time of each line in brackets.
    init(_ log: [UInt8]) {
        var panic: String?
        var oops: String?
        for line in log.split(separator: UInt8(ascii: "\n")) {
            let message = Self.message(of: line)
            if message.starts(with: Self.panicWords) { panic = panic ?? Self.text(message) }
            if Self.oopsWords.contains(where: { message.starts(with: $0) }) { oops = oops ?? Self.text(message) }
        }
        self.panic = panic ?? oops
    }

    /// The words with which kernels begin, in kernel/panic.c and the traps of the architectures.
    private static let panicWords = Array("Kernel panic".utf8)
    private static let oopsWords = [
        "BUG: ", "Oops: ", "general protection fault", "divide error", "invalid opcode", "kernel BUG at",
        "Unable to handle kernel", "Internal error: ", "watchdog: BUG",
    ].map { Array($0.utf8) }

    /// What stands behind `[   12.345678] `.
    private static func message(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard line.first == UInt8(ascii: "["), let end = line.prefix(40).firstIndex(of: UInt8(ascii: "]")) else {
            return line
        }
        return line[line.index(after: end)...].drop { $0 == UInt8(ascii: " ") }
    }

    private static func text(_ message: ArraySlice<UInt8>) -> String {
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
